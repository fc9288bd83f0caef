import { heldTests } from './held-tests.ts';

heldTests('nft');
