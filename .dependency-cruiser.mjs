/*
 * The import rules of docs/architecture.md. Each has a sentence for the person who meets it.
 * Pure stages stand in the order of the flow; a stage may use those before it.
 */
const pure = ['desired', 'verdict', 'rollout', 'plan', 'proposal'];
const tests = '\\.(test|contract|fixture)\\.ts$|^test/';
const ports = {
  repository: 'repository',
  actuation: 'actuation',
  observation: 'observation',
  ledger: 'ledger',
};

const stageOrder = pure.map((stage, index) => ({
  name: `pure-${stage}`,
  comment: `"${stage}" is a pure stage: data in, data out. It may use schemas and the stages before it, nothing else.`,
  from: { path: `^controller/src/${stage}/`, pathNot: tests },
  to: {
    pathNot: [
      `^controller/src/(${[stage, ...pure.slice(0, index)].join('|')})/`,
      '^schemas/',
      // Type declarations of what ports speak, and the error class, carry no effect.
      '^controller/src/error\\.ts$',
      // Hashing is a pure function that the platform happens to own.
      '^(node:)?crypto$',
      // Manifests are read in desired; proposal edits them and keeps what a person wrote around.
      ...(stage === 'desired' || stage === 'proposal' ? ['node_modules/yaml/'] : []),
    ],
    dependencyTypesNot: ['type-only'],
  },
}));

const adaptersStayApart = Object.keys(ports).map(port => ({
  name: `adapters-of-${port}`,
  comment: `only main, command, cli and tests name a concrete adapter of "${port}"; everybody else sees the port.`,
  from: {
    path: '^(controller|demo)/',
    pathNot: [`^controller/src/${port}/`, '^controller/src/(main|command/|cli/|remote/)', tests],
  },
  to: { path: `^controller/src/${port}/[^/]+/` },
}));

const oneHome = [
  ['yaml', '^controller/src/(desired|proposal|command)/'],
  ['isomorphic-git', '^controller/src/repository/memory/'],
  ['memfs', '^controller/src/repository/memory/'],
  ['onnxruntime-node', '^(runtime/src/engine/onnx|bench/serving/raw)/'],
  ['protobufjs', '^runtime/src/preflight/'],
  ['fastify', '^(controller/src/server|runtime/src/front|bench/serving/subject)/'],
  ['commander', '^controller/src/cli/'],
  ['@fastify/swagger-ui', '^runtime/src/front/openapi/'],
  ['@seriousme/openapi-schema-validator', '^runtime/src/front/openapi/'],
  ['csv-parse', '^(controller/src/command|runtime/src/front/protocol/mlflow)/'],
  ['ioredis', '^runtime/src/cache/redis/'],
  ['pg', '^controller/src/ledger/postgres/'],
  ['@grpc/[^/]+', '^runtime/src/front/grpc/'],
  ['grpc-health-check', '^runtime/src/front/grpc/'],
  ['prom-client', '^(controller/src/(server|main\\.ts)|runtime/src/(telemetry|gateway)/)'],
  ['pino', '^(controller|runtime)/src/(log|main)\\.ts$'],
].map(([name, home]) => ({
  name: `home-of-${name}`,
  comment: `"${name}" has one home, ${home}: elsewhere go through what stands there.`,
  from: { pathNot: [home, tests, '^node_modules'] },
  to: { path: `node_modules/${name}/`, dependencyTypesNot: ['type-only'] },
}));

export const rules = [
  {
    name: 'schemas-alone',
    comment:
      'schemas is the contract package: zod and nothing else, no I/O, so that every process can use it.',
    from: { path: '^schemas/src/', pathNot: tests },
    to: { pathNot: ['^schemas/src/', 'node_modules/zod/'] },
  },
  ...stageOrder,
  ...adaptersStayApart,
  ...oneHome,
  {
    name: 'controller-and-runtime-apart',
    comment: 'controller and runtime meet over HTTP and through schemas, never by import.',
    from: { path: '^controller/' },
    to: { path: '^runtime/' },
  },
  {
    name: 'runtime-and-controller-apart',
    comment: 'controller and runtime meet over HTTP and through schemas, never by import.',
    from: { path: '^runtime/' },
    to: { path: '^controller/' },
  },
  {
    name: 'observer-outside',
    comment: 'the observer of the demo knows only HTTP and its own git clone, like any user.',
    from: { path: '^demo/observer/' },
    to: { path: '^(controller|runtime)/' },
  },
  {
    name: 'no-cycles',
    comment: 'a cycle of imports has no order in which it could be read.',
    from: { pathNot: tests },
    to: { circular: true },
  },
];
