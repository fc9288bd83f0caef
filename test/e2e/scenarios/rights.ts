import assert from 'node:assert/strict';
import { eventually } from '../../lab/eventually.ts';
import { long } from '../patience.ts';
import { grantsIn, refusedOf, said, unusedOf } from '../rights.ts';
import type { Install, Scenario } from '../stage.ts';

/** By what the gate has heard since the install: RBAC is as small as it can be, and as large as it must be. */
export function rights(mode: string, { gated }: Install): Scenario {
  return {
    name: `every right in the roles was used, and none was missing (${mode})`,
    async run({ kubectl, gate }) {
      const grants = grantsIn(await kubectl.render(gated));
      assert.ok(grants.length > 0, 'the roles grant something');
      assert.deepEqual(refusedOf(await gate.uses()), []);
      const unused = async () =>
        unusedOf(grants, await gate.uses()).map((grant) => `${grant.role}: ${said(grant)}`);
      await eventually(
        'what is still to come is used',
        async () => (await unused()).length === 0,
        long,
      ).catch(async () => assert.deepEqual(await unused(), []));
    },
  };
}
