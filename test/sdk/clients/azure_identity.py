"""`azure_identity.py client-id|resource-id|none|default RESOURCE ID` prints a token. Knows nothing of the lab."""
import sys

from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

way, resource, id = sys.argv[1:]
credentials = {
    "client-id": lambda: ManagedIdentityCredential(client_id=id),
    "resource-id": lambda: ManagedIdentityCredential(identity_config={"mi_res_id": id}),
    "none": ManagedIdentityCredential,
    "default": DefaultAzureCredential,
}
try:
    print(credentials[way]().get_token(resource + "/.default").token, end="")
except Exception as error:
    sys.exit(str(error))
