import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EnvironmentName } from '@switchback-ml/schemas';
import { expect, onTestFinished, test } from 'vitest';
import { spawnRuntime } from './spawn-runtime.ts';

/** Instead of a runtime: says its variables and ends. */
const SAY_VARIABLES = ['-e', 'console.log(JSON.stringify(process.env))', '--'];

async function variablesOf(changes: Record<string, string>): Promise<Record<string, string>> {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'switchback-spawn-'));
  onTestFinished(() => rm(stateDirectory, { recursive: true, force: true }));
  const before = Object.keys(changes).map(name => [name, process.env[name]] as const);
  onTestFinished(() => {
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  });
  Object.assign(process.env, changes);
  await new Promise<void>((resolve, reject) => {
    const command = {
      command: [process.execPath, ...SAY_VARIABLES],
      environment: EnvironmentName.parse('prod'),
      controllerUrl: 'http://127.0.0.1:1',
      stateDirectory,
      host: '127.0.0.1',
      port: 0,
      ownPort: 0,
      tokenFile: 'none',
      cacheBytes: 2 ** 20,
    };
    spawnRuntime(command, () => resolve()).catch(reject);
  });
  return JSON.parse(await readFile(join(stateDirectory, 'runtime.log'), 'utf8'));
}

test('a runtime gets every variable of OpenTelemetry, and no secret of the controller', async () => {
  const telemetry = {
    OTEL_SDK_DISABLED: 'true',
    OTEL_RESOURCE_ATTRIBUTES: 'team=risk',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_TRACES_SAMPLER: 'parentbased_always_on',
    OTEL_OF_LATER: 'unknown to us',
    SWITCHBACK_REQUEST_LOG: '1',
  };

  const got = await variablesOf({ ...telemetry, SECRET_OF_THE_CONTROLLER: 'canary', NOT_OTEL_: 'either' });

  expect(got).toMatchObject(telemetry);
  expect(got).toHaveProperty('PATH');
  expect(got).not.toHaveProperty('SECRET_OF_THE_CONTROLLER');
  expect(got).not.toHaveProperty('NOT_OTEL_');
});
