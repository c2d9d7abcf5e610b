/** Sums of the usage of ended runs. They outlive the threads. A figure is null until a run has it. */
export const spending = (schema: string): string => `
  CREATE TABLE ${schema}.spending (
    -- Of the runs' ends, in UTC: 2026-11.
    month text COLLATE "C" NOT NULL,
    tenant text NOT NULL,
    user_id text NOT NULL,
    agent text NOT NULL,
    runs bigint NOT NULL,
    input_tokens bigint,
    output_tokens bigint,
    total_tokens bigint,
    cached_input_tokens bigint,
    cache_write_input_tokens bigint,
    image_input_tokens bigint,
    reasoning_tokens bigint,
    image_output_tokens bigint,
    cost_micros bigint,
    unpriced_tokens bigint,
    PRIMARY KEY (month, tenant, user_id, agent)
  ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
  CREATE INDEX spending_of_owner ON ${schema}.spending (tenant, user_id);
`;
