import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { expect, test } from 'vitest';
import { settled } from '../../../clock.fixture.ts';

const SCRIPT = await readFile(join(import.meta.dirname, 'page.js'), 'utf8');
const KEPT = 'switchback-inference-key';

/** As much of an element as the page uses. */
class Element {
  value = '';
  textContent = '';
  hidden = false;
  disabled = false;
  options: Element[] = [];
  parentElement: Element | null = null;
  readonly listeners = new Map<string, (event: unknown) => void>();
  addEventListener(name: string, listener: (event: unknown) => void): void {
    this.listeners.set(name, listener);
  }
  replaceChildren(...children: Element[]): void {
    this.options = children;
  }
  focus(): void {}
}

interface Asked {
  /** That the page sent. */
  authorization: string;
  answer(status: number, body: unknown): Promise<void>;
}

/** The page without a browser: what it asks for is answered when the test says so. */
function openPage() {
  const elements = new Map<string, Element>();
  const kept = new Map<string, string>();
  const asked: Asked[] = [];
  const element = (name: string): Element => {
    const known = elements.get(name) ?? new Element();
    elements.set(name, known);
    return known;
  };
  element('#key').parentElement = new Element();
  const events = new Map<string, () => void>();
  const fetch = (_: string, { headers }: { headers: { authorization: string } }) => {
    const { promise, resolve } = Promise.withResolvers<object>();
    asked.push({
      authorization: headers.authorization,
      async answer(status, body) {
        resolve({ ok: status === 200, status, json: async () => body });
        await settled();
      },
    });
    return promise;
  };
  const shown: string[] = [];
  const swagger = ({ url }: { url: string }) => void shown.push(url);
  runInContext(
    SCRIPT,
    createContext({
      document: { querySelector: element, createElement: () => new Element() },
      sessionStorage: {
        getItem: (name: string) => kept.get(name) ?? null,
        setItem: (name: string, value: string) => void kept.set(name, value),
        removeItem: (name: string) => void kept.delete(name),
      },
      location: { hash: '', href: 'http://runtime.test/docs/' },
      addEventListener: (name: string, listener: () => void) => void events.set(name, listener),
      fetch,
      URL,
      Option: class extends Element {
        constructor(text: string, value: string) {
          super();
          this.textContent = text;
          this.value = value;
        }
      },
      SwaggerUIBundle: Object.assign(swagger, { presets: { apis: {} } }),
    }),
  );
  return {
    asked,
    shown,
    key: () => kept.get(KEPT),
    notice: () => element('#notice').textContent,
    choices: () => element('#choice').options.map(({ textContent }) => textContent),
    enter(key: string): void {
      element('#key').value = key;
      element('#entry').listeners.get('submit')!({ preventDefault: () => {} });
    },
    forget: () => element('#forget').listeners.get('click')!({}),
    look: () => events.get('focus')!(),
  };
}

const INDEX = [{ name: 'ratio', version: '1', state: 'READY' }];
const CHOICES = ['ratio', 'ratio 1', 'the runtime itself'];
const WRONG = { error: 'This key is not known.' };

test('a key that is right is kept, and what is served is listed', async () => {
  const page = openPage();

  page.enter('right');
  await page.asked[0]!.answer(200, INDEX);

  expect(page.asked[0]!.authorization).toBe('Bearer right');
  expect([page.key(), page.choices(), page.notice()]).toEqual(['right', CHOICES, '']);
  expect(page.shown).toEqual(['http://runtime.test/v2/models/ratio/openapi.json']);
});

test('a key that is wrong is not kept, and the page says so', async () => {
  const page = openPage();

  page.enter('wrong');
  await page.asked[0]!.answer(401, WRONG);

  expect([page.key(), page.choices(), page.notice()]).toEqual([undefined, [], WRONG.error]);
});

test('that an older key was refused, heard late, leaves the newer one as it is', async () => {
  const page = openPage();
  page.enter('wrong');
  page.enter('right');

  await page.asked[1]!.answer(200, INDEX);
  await page.asked[0]!.answer(401, WRONG);

  expect([page.key(), page.choices(), page.notice()]).toEqual(['right', CHOICES, '']);
});

test('what an older key was shown, heard late, is not shown to whoever forgot it', async () => {
  const page = openPage();
  page.enter('right');

  page.forget();
  await page.asked[0]!.answer(200, INDEX);

  expect([page.key(), page.choices(), page.shown]).toEqual([undefined, [], []]);
});

test('of two looks the one that was asked last counts', async () => {
  const page = openPage();
  page.enter('right');
  page.look();

  await page.asked[1]!.answer(200, INDEX);
  await page.asked[0]!.answer(200, []);

  expect([page.choices(), page.notice()]).toEqual([CHOICES, '']);
});
