import type { EnvironmentName, Problem } from '@switchback-ml/schemas';
import type { RepositoryHistory } from './desired-state.ts';
import type { Files } from './groups.ts';
import { placeOf } from './place.ts';
import { complain, type PlacedFile } from './placed-file.ts';

const LONGEST_NAME = 80;

/** What may be there and can't be seen, because a link or a submodule stands where its folder should. */
export interface Hidden {
  environments: ReadonlySet<EnvironmentName>;
  models: boolean;
}

export function hiddenBelow(files: Files, history: RepositoryHistory): Hidden {
  const links = files.filter(({ place }) => place.kind === 'hidden-folder').map(({ path }) => path);
  return {
    environments: new Set(links.flatMap(path => environmentsBelow(path, history))),
    models: links.some(path => path.split('/')[0] === 'models'),
  };
}

/** Files that stand where nothing can be made of them: each is told, none is followed. */
export function strayProblems(files: Files): Problem[] {
  return files.map(problemOf);
}

function problemOf(placed: PlacedFile): Problem {
  const { place, file } = placed;
  if (place.kind === 'hidden-folder')
    return complain(placed, {
      code: 'E_FILE_KIND',
      message: `${file.kind === 'refused' ? file.message : 'is no folder'}, where a folder should be`,
      remedy: 'Commit the folder itself. Until then what runs is kept.',
    });
  if (place.kind === 'unread')
    return complain(placed, {
      code: 'W_PATH_UNKNOWN',
      severity: 'warning',
      message: 'is not read: no manifest stands there',
      remedy: place.meant
        ? `Call it ${place.meant}, or move it elsewhere.`
        : 'See docs/reference/manifests.md for where each kind stands, or move it elsewhere.',
    });
  const part = 'part' in place ? place.part : '';
  return complain(placed, {
    code: 'E_PATH_NAME',
    message: `can not be read: ${JSON.stringify(part.slice(0, LONGEST_NAME))} is not a name`,
    remedy:
      'Names are DNS labels: lower-case letters, digits and "-", at most 63. Taken are versions, holds, freezes, constructor, and device names such as con.',
  });
}

/** The environment a link stands in, or, where it stands for all of them, every one that there ever was. */
function environmentsBelow(path: string, history: RepositoryHistory): EnvironmentName[] {
  const [top, name] = path.split('/');
  if (top !== 'environments') return [];
  if (name !== undefined) return [name as EnvironmentName];
  return [...history.paths.keys()].flatMap(known => {
    const place = placeOf(known);
    return place.kind === 'environment' ? place.environment : [];
  });
}
