// The agent that every server of the benchmarks runs: LangChain's createAgent with the scripted model and no tools.
//
//   graph    the compiled graph, without a checkpointer; for AGENTS=bench=bench/support/agent.mjs#graph, langgraph-api, and
//            whoever imports it
import { createAgent } from 'langchain';
import { ScriptedModel } from './scripted.model.mjs';

export const graph = createAgent({ model: new ScriptedModel(), tools: [] }).graph;
