import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { register } from '@switchback-ml/controller/command';
import { ModelName, VersionLabel } from '@switchback-ml/schemas';
import { type Narrator, narrator } from './narrator.ts';
import { GitWatch } from './observer/git-watch.ts';
import { Observer } from './observer/observer.ts';
import { BRANCH, openPlace, type Place, servicesOf } from './place.ts';
import { type Author, type StoryFacts, tellStory } from './story.ts';
import { summary } from './summary.ts';

const candidates = fileURLToPath(new URL('../examples/candidates', import.meta.url));
const MODEL = ModelName.parse('screening');
const STORIES = ['slow', 'nan'] as const;
type Story = (typeof STORIES)[number];

const { json, stories } = options();
const startedAt = Date.now();
const narrate = narrator({ json, startedAt });
const told: StoryFacts[] = [];
try {
  for (const story of stories) told.push(await play(story, narrate));
} catch (error) {
  narrate.tell(
    'broken',
    { reason: String(error) },
    `the story broke: ${error instanceof Error ? error.message : String(error)}`,
  );
  process.exitCode = 1;
}
const total = summary(told, Date.now() - startedAt);
if (total.broken.length > 0) process.exitCode = 1;
narrate.tell('summary', { ...total, ok: process.exitCode !== 1 }, total.sentence);

/** One story in a world of its own, so that the two can't help each other. */
async function play(story: Story, { tell }: Narrator): Promise<StoryFacts> {
  const directory = await mkdtemp(join(tmpdir(), 'switchback-demo-'));
  try {
    tell(
      'story',
      { story },
      `── a ${story === 'nan' ? 'version without an answer for some rows' : 'slow version'} ──`,
    );
    await using place = await openPlace(join(directory, 'place'), line => tell('progress', {}, line));
    const git = await GitWatch.clone(place.remoteUrl, join(directory, 'observer'), BRANCH);
    const observer = new Observer(git, servicesOf(place, rate), {
      address: place.address,
      token: place.operatorToken,
    });
    try {
      const facts = await tellStory(story, observer, author(place), { tell });
      tell('story-done', { ...facts }, `${facts.requests} requests, ${facts.failedRequests} failed`);
      return facts;
    } finally {
      await observer.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Requests per second; the model that the story is about is the busiest. */
function rate(environment: string, model: string): number {
  if (model !== 'screening') return environment === 'prod' ? 10 : 5;
  return { dev: 20, staging: 30, prod: 80 }[environment] ?? 10;
}

function author(place: Place): Author {
  return {
    register: async (candidate, version) => {
      const folder = join(candidates, candidate);
      const request = {
        file: join(folder, 'model.onnx'),
        model: MODEL,
        folder: MODEL,
        version: VersionLabel.parse(version),
        samples: join(folder, 'samples.csv'),
        rows: 'public' as const,
        facts: { facts: join(folder, 'facts.json') },
      };
      const environment = { ...process.env, GIT_AUTHOR_NAME: 'Mei', GIT_AUTHOR_EMAIL: 'mei@localhost' };
      const signal = AbortSignal.timeout(60_000);
      await register(request, { state: place.state, directory: place.state, environment, signal });
      return Date.now();
    },
  };
}

function options(): { json: boolean; stories: readonly Story[] } {
  const { values } = parseArgs({
    options: { json: { type: 'boolean', default: false }, story: { type: 'string', default: 'both' } },
  });
  if (values.story === 'both') return { json: values.json, stories: STORIES };
  const story = STORIES.find(name => name === values.story);
  if (story) return { json: values.json, stories: [story] };
  process.stderr.write(`--story: must be slow, nan or both, not "${values.story}"\n`);
  process.exit(2);
}
