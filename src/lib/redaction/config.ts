import { z } from 'zod';

export const PERSONAL_KINDS = ['email', 'ip', 'phone', 'card'] as const;

export const redactionConfigSchema = z.strictObject({
  personal_data: z
    .array(z.enum(PERSONAL_KINDS))
    .default([...PERSONAL_KINDS])
    .meta({ description: 'Personal data that becomes placeholders in whatever leaves; secrets are always removed' }),
  names: z
    .array(
      z
        .string()
        .min(2)
        .max(100)
        .refine((pattern) => /[^\s*]/.test(pattern) && pattern.split('*').length <= 2, {
          error: 'must be a name, or a text with one * where a name stands, such as "customer *"',
        }),
    )
    .max(1000)
    .default([])
    .meta({ description: 'Names to replace, such as "Jane Doe", or texts with a * where a name stands, such as "customer *"' }),
  secret_keys: z
    .array(z.string().regex(/^[\w.-]{2,64}$/))
    .max(1000)
    .default([])
    .meta({ description: 'More names whose values are secrets, beside password, token, api_key and the like' }),
});
export type RedactionConfig = z.output<typeof redactionConfigSchema>;
