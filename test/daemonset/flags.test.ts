import t from 'tap';
import { loadNmiConfig } from '../../lib/config/load.ts';
import { loadMicConfig } from '../../lib/config/load-mic.ts';
import { micFlags } from '../../lib/config/mic-flags.ts';
import { nmiFlags } from '../../lib/config/nmi-flags.ts';
import { daemonset, documentsIn, filledIn, podSpecOf, textOf, textsIn, the, yamlFiles } from './manifests.ts';

/** The manifests' command lines against the flag tables, without any program that renders them. */
const names = (table: object): Set<string> =>
  new Set(Object.values(table).map(({ flag }: { flag: string }) => flag));
const [ofNmi, ofMic] = [names(nmiFlags), names(micFlags)];
const flagsIn = (texts: readonly string[]): string[] =>
  texts.flatMap((text) => [...text.matchAll(/(?:^|[\s"])--([A-Za-z][\w-]*)/g)].map(([, flag]) => flag ?? ''));

t.test('every flag that a manifest or a patch passes is one of NMI or of MIC', async (t) => {
  // cleanup/ runs another program, whose words are in bin/cleanup-iptables.
  const files = yamlFiles().filter((path) => /^(base|components|overlays)\//.test(path));
  t.ok(files.length > 20, daemonset);
  const seen = new Set(files.flatMap((path) => flagsIn(textsIn(documentsIn(textOf(path))))));
  t.ok(seen.has('probe-file') && seen.has('cloudconfig') && seen.has('operation-mode'));
  t.same(
    [...seen].filter((flag) => !ofNmi.has(flag) && !ofMic.has(flag)),
    [],
  );
});

t.test('every flag that the chart passes is one of the program that it passes it to', async (t) => {
  const passed = (text: string): string[] => [
    ...flagsIn([text.slice(text.indexOf('args:'), text.indexOf('env:'))]),
    ...[...text.matchAll(/^ +\(list "([A-Za-z-]+)"/gm)].map(([, flag]) => flag ?? ''),
  ];
  const nmi = passed(textOf('chart/templates/nmi.yaml'));
  const mic = passed(textOf('chart/templates/mic.yaml'));
  t.ok(nmi.length >= 19 && mic.length >= 18, `${nmi.length}, ${mic.length}`);
  t.same([...nmi.filter((flag) => !ofNmi.has(flag)), ...mic.filter((flag) => !ofMic.has(flag))], []);
});

t.test('the agent takes the arguments of its manifest', async (t) => {
  const nmi = podSpecOf(the('DaemonSet', 'nmi', documentsIn(textOf('base/nmi.yaml'))));
  t.match(loadNmiConfig(filledIn(nmi.containers[0].args), {}), {
    node: 'node1',
    nmiListenAddress: '10.0.0.4',
    probeFile: '/run/pod-identity/probe',
  });
});

t.test('MIC takes the arguments and the environment of its manifest', async (t) => {
  const mic = podSpecOf(the('Deployment', 'mic', documentsIn(textOf('components/azure-json/mic.yaml'))));
  const config = loadMicConfig(filledIn(mic.containers[0].args), { MIC_POD_NAMESPACE: 'default' });
  t.match(config, { cloudConfig: '/etc/kubernetes/azure.json', namespace: 'default' });
});
