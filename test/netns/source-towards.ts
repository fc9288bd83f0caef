/** Program: `source-towards.ts IP` writes the address that the kernel of this namespace would send from towards IP. */
import { kernelSourceTowards } from '../../lib/redirect/node-address.ts';

console.log(await kernelSourceTowards(process.argv[2] ?? ''));
