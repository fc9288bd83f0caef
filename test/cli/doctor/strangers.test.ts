import t from 'tap';
import type { Facts } from '../../../lib/cli/doctor/facts.ts';
import { examined, found, managed, mic, says, told, untold } from './scene.ts';

t.test(
  "agents, mic: a tenant's pods that look like them decide nothing, and bring no command that installs",
  async (t) => {
    const fakes = ['a', 'b', 'c'].map((name) => mic({ namespace: 'evil', name }));
    const strangers = { nmi: fakes, mic: fakes };
    const alike = 'does not count: .*; so it is with evil/b and evil/c$';
    const cluster = [{}, { mode: managed, mics: told() }, { mode: untold('agents disagree') }];
    for (const change of cluster)
      for (const name of ['agents', 'mic']) {
        const { findings } = examined(name, { ...change, strangers });
        t.match(findings, [{ severity: 'note', what: new RegExp(`^Pod evil/a .* ${alike}`) }]);
        t.same(findings.length, 1, 'one for all of them');
        t.notMatch(JSON.stringify(findings), 'kubectl apply');
      }
  },
);

t.test(
  'agents, mic: where nothing else is there, they may be its own, and in which mode they ran is not known',
  async (t) => {
    const lost = { agents: told(), mics: told(), strangers: { nmi: [mic({ name: 'nmi-x' })], mic: [mic()] } };
    says(t, found('agents', lost), [/^warning .*nmi-x looks like an agent/, /^error No agent/]);
    says(t, found('mic', lost), [/^warning .*mic-0 looks like MIC/]);
    t.notMatch(JSON.stringify(examined('agents', lost)), 'kubectl apply');
  },
);

t.test(
  'agents, leftovers: put back the overlay of the mode that is known, and none of another',
  async (t) => {
    const role = { name: 'aad-pod-id-nmi-role', labels: {}, rights: ['get secrets'] };
    const offers = (change: Partial<Facts>): readonly string[] =>
      ['agents', 'leftovers'].flatMap((name) =>
        examined(name, { agents: told(), roles: told(role), ...change }).findings.flatMap(({ mend, why }) => {
          const installs = mend.filter((line) => line.startsWith('kubectl apply'));
          t.equal(why.includes('helm upgrade'), installs.length > 0, why);
          return installs;
        }),
      );
    const overlay = (name: string): string => `kubectl apply -k daemonset/overlays/${name}`;
    t.same(offers({}), [overlay('standard'), overlay('standard')]);
    t.same(offers({ mode: managed }), [overlay('managed'), overlay('managed')]);
    t.same(offers({ mode: untold('agents disagree') }), []);
  },
);
