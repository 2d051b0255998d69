#!/usr/bin/env node
// The command `switchback`: brings packages and Node 24 on first use, then runs where it was called.
import { join } from 'node:path';
import { root, run, setUp } from './setup.mjs';

setUp();
process.exit(
  await run([join(root, 'controller/src/cli/main.ts'), ...process.argv.slice(2)], { cwd: process.cwd() }),
);
