import { API_VERSION } from '@switchback-ml/schemas';
import { stringify } from 'yaml';

/** A manifest as text: values quoted, since YAML reads 1.10 as a number, and keys plain. */
export function manifestText(kind: string, fields: object): string {
  return stringify(
    { apiVersion: API_VERSION, kind, ...fields },
    {
      defaultStringType: 'QUOTE_DOUBLE',
      defaultKeyType: 'PLAIN',
      lineWidth: 0,
      aliasDuplicateObjects: false,
    },
  );
}
