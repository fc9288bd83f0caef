import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { daemonset } from './manifests.ts';

/** The Dockerfile's instructions, each on one line, by stage; what comes before the first FROM is no instruction. */
const text = readFileSync(join(daemonset, '../Dockerfile'), 'utf8')
  .replace(/^\s*#.*\n/gm, '')
  .replaceAll(/\\\n\s*/g, ' ');
const stages = text.split(/^(?=FROM )/m).filter((stage) => stage.startsWith('FROM '));
const [build = '', runtime = '', last = ''] = stages;

t.test('the image is for any platform: no step is for one', async (t) => {
  t.equal(stages.length, 3);
  t.match(build, /^FROM --platform=\$BUILDPLATFORM node:/, 'bundles are made once, on the machine’s own');
  for (const stage of [runtime, last]) t.notMatch(stage, /^FROM --platform/);
  t.notMatch(text, /amd64|x86|x64|arm|aarch|TARGETARCH|TARGETPLATFORM|dpkg --add-architecture/i);
  t.notMatch(
    text,
    /curl|wget|ADD |https?:/,
    'programs come from the base image and the distribution, which know the platform',
  );
});

t.test('of the stage on another platform only bundles, notices and the SBOM are taken', async (t) => {
  const taken = runtime.split('\n').flatMap(
    (line) =>
      line
        .match(/^COPY --from=build (.+) \S+$/)?.[1]
        ?.trim()
        .split(/\s+/) ?? [],
  );
  const wanted = ['bin', 'LICENSE', 'THIRD-PARTY-NOTICES', 'sbom.cdx.json'];
  t.same(
    taken,
    wanted.map((name) => `/pod-identity/dist/${name}`),
  );
  t.match(last, /^COPY --from=runtime \/ \/$/m);
  t.notMatch(last, /^RUN /m);
});
