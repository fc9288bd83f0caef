import t from 'tap';
import { canonicalTarget } from '../../lib/metadata/canonical.ts';

t.test('takes a plain target apart', (t) => {
  const cases: [string, string[], string][] = [
    ['/', [], ''],
    ['/?', [], ''],
    ['/?a=/../b', [], 'a=/../b'],
    ['/metadata', ['metadata'], ''],
    ['/metadata/', ['metadata'], ''],
    ['/metadata/identity/oauth2/token', ['metadata', 'identity', 'oauth2', 'token'], ''],
    ['/metadata/identity/oauth2/token/', ['metadata', 'identity', 'oauth2', 'token'], ''],
    ['/METADATA/Identity?x', ['METADATA', 'Identity'], 'x'],
    ['/metadata/instance?a=1&a=2&&', ['metadata', 'instance'], 'a=1&a=2&&'],
    [
      '/metadata/versions?resource=https://vault.azure.net',
      ['metadata', 'versions'],
      'resource=https://vault.azure.net',
    ],
    ['/metadata/versions?a=%5c%2F%00%', ['metadata', 'versions'], 'a=%5c%2F%00%'],
    ['/metadata/versions?a?b', ['metadata', 'versions'], 'a?b'],
    ['/.../a.b/..c/~', ['...', 'a.b', '..c', '~'], ''],
    ["/!$&'()*+,=@-._~", ["!$&'()*+,=@-._~"], ''],
  ];
  for (const [raw, segments, query] of cases) t.same(canonicalTarget(raw), { segments, query }, raw);
  t.end();
});

t.test('refuses what another server could read as another path', (t) => {
  const refused: Record<string, string[]> = {
    'not in origin form': [
      '',
      '*',
      'metadata/instance',
      'http://169.254.169.254/metadata/instance',
      '169.254.169.254:80',
      '?/metadata/instance',
    ],
    'a doubled slash': [
      '//',
      '///',
      '//metadata/instance',
      '//evil.example/metadata',
      '/metadata//instance',
      '/metadata/instance//',
    ],
    'a dot segment': [
      '/.',
      '/..',
      '/./metadata',
      '/metadata/.',
      '/metadata/../',
      '/metadata/instance/../identity',
      '/metadata/./instance',
    ],
    'a backslash': [
      '/metadata\\identity',
      '/metadata/identity\\oauth2/token',
      '\\metadata',
      '/metadata/instance\\',
    ],
    'percent-encoding': [
      '/metadata/%69dentity',
      '/metadata%2Fidentity',
      '/metadata/%5cidentity',
      '/%2e%2e/x',
      '/metadata/instance%00',
      '/metadata/%',
    ],
    'a parameter': ['/metadata/identity;a=b/oauth2/token', '/metadata/instance;'],
    'a colon, which http-proxy would turn into a doubled slash': [
      '/metadata/instance/http:/x',
      '/http:/metadata/instance',
      '/a:b',
    ],
    'a fragment': ['/metadata/instance#', '/metadata/instance#/x', '/metadata/instance?a#b'],
    'a blank or control byte': [
      '/metadata/ instance',
      '/metadata/instance\t',
      '/metadata/\x00instance',
      '/metadata/instance\x7f',
      '/metadata/instance\n',
      '/metadata/versions?a b',
      '/metadata/versions?a\x00',
    ],
    'a byte beyond ASCII': [
      '/metadata/\xefnstance',
      '/metadata/instance\xc0\xaf',
      '/metadata／identity',
      '/metadata/ıdentity',
      '/metadata/versions?\x80',
    ],
    'a backslash in the query': ['/metadata/versions?a\\b'],
    'other delimiters': [
      '/metadata/<x>',
      '/metadata/"x"',
      '/metadata/{x}',
      '/metadata/|',
      '/metadata/^',
      '/metadata/`',
      '/metadata/[x]',
    ],
  };
  for (const [why, targets] of Object.entries(refused)) {
    for (const raw of targets) t.equal(canonicalTarget(raw), undefined, `${why}: ${JSON.stringify(raw)}`);
  }
  t.end();
});

t.test('lets no byte through in a path but those of its table', (t) => {
  const allowed = new Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~!$&'()*+,=@-");
  const taken = new Set<string>();
  for (let code = 0; code < 0x180; code++) {
    const char = String.fromCharCode(code);
    if (canonicalTarget(`/metadata/instance/a${char}b`)) taken.add(char);
  }
  t.same(taken, new Set([...allowed, '/', '?']), 'these two divide');
  t.end();
});
