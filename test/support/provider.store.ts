import type { Adapter, AdapterPayload } from 'oidc-provider';

/** Keeps what one OpenID provider knows, for as long as its test runs. */
export function providerStore(): (model: string) => Adapter {
  const records = new Map<string, { model: string; payload: AdapterPayload }>();
  const find = (model: string, matches: (payload: AdapterPayload) => boolean) =>
    [...records.values()].find((each) => each.model === model && matches(each.payload))?.payload;
  return (model) => {
    const toKey = (id: string) => `${model}:${id}`;
    return {
      upsert: async (id, payload) => void records.set(toKey(id), { model, payload }),
      find: async (id) => records.get(toKey(id))?.payload,
      findByUid: async (uid) => find(model, (payload) => payload.uid === uid),
      findByUserCode: async (userCode) => find(model, (payload) => payload.userCode === userCode),
      async consume(id) {
        const record = records.get(toKey(id));
        if (record) record.payload.consumed = Math.floor(Date.now() / 1000);
      },
      destroy: async (id) => void records.delete(toKey(id)),
      async revokeByGrantId(grantId) {
        for (const [key, { payload }] of records) if (payload.grantId === grantId) records.delete(key);
      },
    };
  };
}
