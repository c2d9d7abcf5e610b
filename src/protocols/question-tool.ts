/**
 * Name of the tool that stands for a question of a graph or of an MCP server, in protocols that can ask a client only to run a tool. The tool's result is
 * the answer.
 */
export const QUESTION_TOOL = 'request_input';
