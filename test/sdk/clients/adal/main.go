// `adal client-id|resource-id|none RESOURCE ID` prints a token. Knows nothing of the lab.
package main

import (
	"fmt"
	"os"

	"github.com/Azure/go-autorest/autorest/adal"
)

func main() {
	way, resource, id := os.Args[1], os.Args[2], os.Args[3]
	options := adal.ManagedIdentityOptions{}
	switch way {
	case "client-id":
		options.ClientID = id
	case "resource-id":
		options.IdentityResourceID = id
	}
	token, err := adal.NewServicePrincipalTokenFromManagedIdentity(resource, &options)
	if err == nil {
		err = token.EnsureFresh()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Print(token.OAuthToken())
}
