# SPDX-License-Identifier: MIT
"""models_strict: what the real model APIs refuse, with their own error shapes.

check_anthropic, check_openai and check_embeddings raise Refusal for a request the real servers answer with an error;
models.py turns it into the HTTP answer.  Thinking blocks are bound to the conversation before them by a signature
that sign_thinking makes and check_anthropic verifies, so the fake needs no memory of what it said.
"""
import hashlib
import hmac
import json
import re

ANTHROPIC_MODELS = {
    "claude-haiku-5-5", "claude-sonnet-5-5", "claude-opus-5-5", "claude-fable-5-1", "claude-opus-5", "claude-sonnet-5",
    "claude-opus-4-8", "claude-opus-4-7", "claude-opus-4-6", "claude-opus-4-5", "claude-sonnet-4-6", "claude-sonnet-4-5",
    "claude-haiku-4-5", "claude-haiku-4-5-20251001",
}
OPENAI_REASONING = re.compile(r"^(gpt-6-(luna|sol|astra)|gpt-5\.6(-sol|-terra|-luna)?|gpt-5\.[245])$")
OPENAI_PLAIN = re.compile(r"^(gpt-4o|gpt-4o-mini|gpt-4\.1|gpt-4\.1-mini)$")
OPENAI_EFFORT_NEEDED = re.compile(r"^(gpt-6-|gpt-5\.6)")
EMBEDDING_SIZES = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
SIGNING_KEY = b"a fake server's signing key"


class Refusal(Exception):
    def __init__(self, status, type_, message, param=None, code=None):
        super().__init__(message)
        self.status, self.type, self.message, self.param, self.code = status, type_, message, param, code


def bad(message, param=None, code=None):
    return Refusal(400, "invalid_request_error", message, param, code)


# --- Anthropic Messages -------------------------------------------------------------------------------------

ANTHROPIC_FIELDS = {
    "model", "max_tokens", "messages", "system", "tools", "tool_choice", "stream", "stop_sequences", "metadata",
    "thinking", "temperature", "top_p", "top_k", "service_tier", "container", "mcp_servers", "context_management",
    "output_config", "cache_control", "inference_geo",
}
ANTHROPIC_TOOL_FIELDS = {
    "name", "description", "input_schema", "strict", "cache_control", "input_examples", "eager_input_streaming",
    "defer_loading", "type", "allowed_callers",
}
ANTHROPIC_BLOCK_FIELDS = {
    "text": {"type", "text", "cache_control", "citations"},
    "tool_use": {"type", "id", "name", "input", "cache_control", "caller"},
    "tool_result": {"type", "tool_use_id", "content", "is_error", "cache_control"},
    "thinking": {"type", "thinking", "signature"},
    "redacted_thinking": {"type", "data"},
    "image": {"type", "source", "cache_control"},
    "document": {"type", "source", "title", "context", "citations", "cache_control"},
}


def check_anthropic_headers(headers, keys):
    key, bearer = headers.get("x-api-key"), headers.get("authorization")
    if key and bearer:
        raise Refusal(401, "authentication_error", "x-api-key and Authorization must not both be given")
    if not key and not bearer:
        raise Refusal(401, "authentication_error", "x-api-key header is required")
    token = key or bearer.partition(" ")[2]
    if (keys is not None and token not in keys) or token.startswith("wrong"):
        raise Refusal(401, "authentication_error", "invalid x-api-key")
    if headers.get("anthropic-version") is None:
        raise bad("anthropic-version: header is required")
    if headers["anthropic-version"] != "2023-06-01":
        raise bad("anthropic-version: %s is not a valid version" % headers["anthropic-version"])


def binding(model, system, tools, prefix, thinking):
    """The signature of a thinking block: over everything that stood before it."""
    text = json.dumps([model, system, tools, prefix, thinking], sort_keys=True, separators=(",", ":"))
    return hmac.new(SIGNING_KEY, text.encode(), hashlib.sha256).hexdigest()


def sign_thinking(body, thinking):
    return binding(body["model"], body.get("system"), body.get("tools"), body["messages"], thinking)


def check_anthropic(headers, body, keys=None):
    check_anthropic_headers(headers, keys)
    if not isinstance(body, dict):
        raise bad("The request body is not valid JSON")
    for field in ("model", "max_tokens", "messages"):
        if field not in body:
            raise bad("%s: Field required" % field)
    for field in body:
        if field not in ANTHROPIC_FIELDS:
            raise bad("%s: Extra inputs are not permitted" % field)
    model = body["model"]
    if model not in ANTHROPIC_MODELS:
        raise Refusal(404, "not_found_error", "model: %s" % model)
    check_anthropic_settings(body)
    check_anthropic_system(body.get("system"))
    names = check_anthropic_tools(body.get("tools"))
    check_anthropic_messages(body, names)
    marks = json.dumps(body).count('"cache_control"')
    if marks > 4:
        raise bad("A maximum of 4 blocks with cache_control may be provided. Found %d." % marks)


def check_anthropic_settings(body):
    if type(body["max_tokens"]) is not int or body["max_tokens"] < 1:
        raise bad("max_tokens: Input should be greater than or equal to 1")
    for field in ("temperature", "top_p", "top_k"):
        if field in body:
            raise bad("`%s` is not supported by this model." % field)
    if "budget_tokens" in (body.get("thinking") or {}):
        raise bad("thinking.budget_tokens: not supported by this model. Use adaptive thinking.")
    if body.get("stream"):
        raise bad("stream: this server answers whole messages only")
    choice = body.get("tool_choice")
    if choice is not None:
        if not isinstance(choice, dict) or choice.get("type") not in ("auto", "any", "tool", "none"):
            raise bad("tool_choice: Input should be a valid dictionary with a known type")
        if choice["type"] in ("any", "tool"):
            raise bad("tool_choice.type: forced tool use is not supported by this model.")
        if not body.get("tools"):
            raise bad("tool_choice may only be specified while providing tools")


def check_text(where, text):
    if not isinstance(text, str):
        raise bad("%s: Input should be a valid string" % where)
    if text == "":
        raise bad("%s: text content blocks must be non-empty" % where)
    if not text.strip():
        raise bad("%s: text content blocks must contain non-whitespace text" % where)


def check_anthropic_system(system):
    if system is None or isinstance(system, str):
        return
    if not isinstance(system, list):
        raise bad("system: Input should be a valid list")
    for i, block in enumerate(system):
        if not isinstance(block, dict) or block.get("type") != "text":
            raise bad("system.%d.type: Input should be 'text'" % i)
        for field in block:
            if field not in ANTHROPIC_BLOCK_FIELDS["text"]:
                raise bad("system.%d.%s: Extra inputs are not permitted" % (i, field))
        check_text("system", block.get("text"))


def check_schema(where, schema):
    if not isinstance(schema, dict):
        raise bad("%s: Input should be a valid dictionary" % where)
    if schema.get("type") != "object":
        raise bad("%s.type: Input should be 'object'" % where)
    for word in ("oneOf", "anyOf", "allOf"):
        if word in schema:
            raise bad("%s: input_schema does not support oneOf, allOf, or anyOf at the top level" % where)
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        raise bad("%s.properties: Input should be a valid dictionary" % where)
    for name in schema.get("required", []):
        if name not in properties:
            raise bad("%s: required names the unknown property %s" % (where, name))
    for name, value in properties.items():
        if not isinstance(value, dict):
            raise bad("%s.properties.%s: JSON schema is invalid" % (where, name))


def check_anthropic_tools(tools):
    names = set()
    if tools is None:
        return names
    if not isinstance(tools, list):
        raise bad("tools: Input should be a valid list")
    for i, tool in enumerate(tools):
        where = "tools.%d.custom" % i
        for field in tool:
            if field not in ANTHROPIC_TOOL_FIELDS:
                raise bad("%s.%s: Extra inputs are not permitted" % (where, field))
        if not isinstance(tool.get("name"), str) or not NAME.match(tool["name"]):
            raise bad("%s.name: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'" % where)
        if "input_schema" not in tool:
            raise bad("%s.input_schema: Field required" % where)
        if not isinstance(tool.get("description", ""), str):
            raise bad("%s.description: Input should be a valid string" % where)
        check_schema(where + ".input_schema", tool["input_schema"])
        if tool["name"] in names:
            raise bad("tools: Tool names must be unique.")
        names.add(tool["name"])
    return names


def blocks_of(message):
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def check_anthropic_blocks(where, role, blocks):
    allowed = {"user": {"text", "tool_result", "image", "document"},
               "assistant": {"text", "tool_use", "thinking", "redacted_thinking"}}[role]
    for j, block in enumerate(blocks):
        here = "%s.content.%d" % (where, j)
        if not isinstance(block, dict) or block.get("type") not in ANTHROPIC_BLOCK_FIELDS:
            raise bad("%s: Input tag does not match any of the expected tags" % here)
        kind = block["type"]
        if kind not in allowed:
            raise bad("%s: `%s` blocks are not allowed in %s messages" % (here, kind, role))
        for field in block:
            if field not in ANTHROPIC_BLOCK_FIELDS[kind]:
                raise bad("%s.%s.%s: Extra inputs are not permitted" % (here, kind, field))
        if kind == "text":
            check_text("messages", block.get("text"))
        if kind == "tool_use":
            if not isinstance(block.get("input"), dict):
                raise bad("%s.tool_use.input: Input should be a valid dictionary" % here)
            if not isinstance(block.get("name"), str) or not NAME.match(block["name"]):
                raise bad("%s.tool_use.name: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'" % here)
            if not re.match(r"^[a-zA-Z0-9_-]+$", str(block.get("id", ""))):
                raise bad("%s.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'" % here)
        if kind == "tool_result":
            check_tool_result(here, block)


def check_tool_result(here, block):
    if not isinstance(block.get("tool_use_id"), str):
        raise bad("%s.tool_result.tool_use_id: Field required" % here)
    content = block.get("content")
    if content is not None and not isinstance(content, (str, list)):
        raise bad("%s.tool_result.content: Input should be a valid string" % here)
    for part in content if isinstance(content, list) else []:
        if part.get("type") == "text":
            check_text("messages", part.get("text"))
    if not isinstance(block.get("is_error", False), bool):
        raise bad("%s.tool_result.is_error: Input should be a valid boolean" % here)


def check_anthropic_messages(body, tool_names):
    messages = body["messages"]
    if not isinstance(messages, list) or not messages:
        raise bad("messages: at least one message is required")
    role_before, open_ids, seen = None, [], set()
    for i, message in enumerate(messages):
        where = "messages.%d" % i
        if not isinstance(message, dict) or set(message) != {"role", "content"}:
            raise bad("%s: role and content are required and nothing else is permitted" % where)
        role = message["role"]
        if role not in ("user", "assistant"):
            raise bad('%s.role: Input should be \'user\' or \'assistant\'' % where)
        if i == 0 and role != "user":
            raise bad('messages: first message must use the "user" role')
        if role == role_before:
            raise bad('messages: roles must alternate between "user" and "assistant", but found multiple "%s" roles '
                      "in a row" % role)
        blocks = blocks_of(message)
        if not isinstance(blocks, list) or not blocks:
            raise bad("messages.%d: all messages must have non-empty content" % i)
        check_anthropic_blocks(where, role, blocks)
        if role == "user":
            check_results(where, i, blocks, open_ids)
            open_ids = []
        else:
            check_binding(body, i, blocks)
            open_ids = [b["id"] for b in blocks if b["type"] == "tool_use"]
            for id_ in open_ids:
                if id_ in seen:
                    raise bad("messages: `tool_use` ids must be unique")
                seen.add(id_)
            if open_ids and not tool_names:
                raise bad("Requests which have `tool_use` or `tool_result` blocks in messages must define tools")
        role_before = role
    if role_before == "assistant":
        raise bad("This model does not support assistant message prefill. The conversation must end with a user message.")


def check_results(where, i, blocks, open_ids):
    results = [b["tool_use_id"] for b in blocks if b["type"] == "tool_result"]
    for j, block in enumerate(blocks):
        if block["type"] == "tool_result" and block["tool_use_id"] not in open_ids:
            raise bad("%s.content.%d: unexpected `tool_use_id` found in `tool_result` blocks: %s. Each `tool_result` block "
                      "must have a corresponding `tool_use` block in the previous message." %
                      (where, j, block["tool_use_id"]))
    missing = [id_ for id_ in open_ids if id_ not in results]
    late = any(b["type"] != "tool_result" for b in blocks[:len(results)])
    if missing or (open_ids and late):
        raise bad("messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s. Each `tool_use` "
                  "block must have a corresponding `tool_result` block in the next message." %
                  (i - 1, ", ".join(missing or open_ids)))
    if len(set(results)) != len(results):
        raise bad("%s: each tool_use must have a single result. Found multiple `tool_result` blocks with id: %s" %
                  (where, results[0]))


def check_binding(body, i, blocks):
    for j, block in enumerate(blocks):
        if block["type"] != "thinking":
            continue
        good = binding(body["model"], body.get("system"), body.get("tools"), body["messages"][:i], block.get("thinking"))
        if block.get("signature") != good:
            raise bad("messages.%d.content.%d: Invalid `signature` in `thinking` block. The block is bound to a different "
                      "conversation." % (i, j))


# --- OpenAI Chat Completions --------------------------------------------------------------------------------

OPENAI_FIELDS = {
    "model", "messages", "tools", "tool_choice", "parallel_tool_calls", "max_tokens", "max_completion_tokens", "stream",
    "stream_options", "temperature", "top_p", "n", "stop", "presence_penalty", "frequency_penalty", "logit_bias",
    "logprobs", "top_logprobs", "response_format", "seed", "user", "reasoning_effort", "store", "metadata",
    "service_tier", "modalities", "audio", "prediction", "verbosity", "prompt_cache_key", "safety_identifier",
    "web_search_options",
}
OPENAI_MESSAGE_FIELDS = {
    "system": {"role", "content", "name"},
    "developer": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "refusal", "audio", "tool_calls", "function_call", "reasoning_content",
                  "reasoning_details"},
    "tool": {"role", "content", "tool_call_id"},
}


def check_bearer(headers, keys, local):
    header = headers.get("authorization", "")
    token = header[7:] if header.startswith("Bearer ") else ""
    if not token:
        if local:
            return
        raise Refusal(401, "invalid_request_error", "You didn't provide an API key. You need to provide your API key in an "
                      "Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).")
    if (keys is not None and token not in keys) or token.startswith("wrong"):
        raise Refusal(401, "invalid_request_error", "Incorrect API key provided: %s***. You can find your API key at "
                      "https://platform.openai.com/account/api-keys." % token[:3], None, "invalid_api_key")


def is_local(model):
    """A model of a compatible server: it takes no key and either limit."""
    return not re.match(r"^(gpt-|o\d|text-embedding-)", str(model))


def check_openai(headers, body, keys=None):
    if not isinstance(body, dict):
        raise bad("We could not parse the JSON body of your request.")
    model = body.get("model")
    check_bearer(headers, keys, is_local(model))
    if not isinstance(model, str) or not model:
        raise bad("you must provide a model parameter")
    if not is_local(model) and not OPENAI_REASONING.match(model) and not OPENAI_PLAIN.match(model):
        raise Refusal(404, "invalid_request_error", "The model `%s` does not exist or you do not have access to it." % model,
                      None, "model_not_found")
    if "messages" not in body:
        raise bad("Missing required parameter: 'messages'.", "messages", "missing_required_parameter")
    for field in body:
        if field not in OPENAI_FIELDS:
            raise bad("Unknown parameter: '%s'." % field, field, "unknown_parameter")
    check_openai_tools(body)
    check_openai_settings(body, model)
    check_openai_messages(body["messages"])


def check_openai_settings(body, model):
    if body.get("stream"):
        raise bad("this server answers whole messages only", "stream")
    if "max_tokens" in body and "max_completion_tokens" in body:
        raise bad("Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.", "max_tokens",
                  "invalid_parameter_combination")
    if "parallel_tool_calls" in body and not body.get("tools"):
        raise bad("Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are "
                  "specified.", "parallel_tool_calls")
    if not OPENAI_REASONING.match(model):
        if "reasoning_effort" in body and not is_local(model):
            raise bad("Unrecognized request argument supplied: reasoning_effort", "reasoning_effort")
        return
    if "max_tokens" in body:
        raise bad("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
                  "instead.", "max_tokens", "unsupported_parameter")
    for field in ("temperature", "top_p"):
        if body.get(field, 1) != 1:
            raise bad("Unsupported value: '%s' does not support %s with this model. Only the default (1) value is "
                      "supported." % (field, body[field]), field, "unsupported_value")
    if "stop" in body:
        raise bad("Unsupported parameter: 'stop' is not supported with this model.", "stop", "unsupported_parameter")
    effort = body.get("reasoning_effort")
    if model == "gpt-6-astra" and effort == "none":
        raise bad("Unsupported value: 'reasoning_effort' does not support 'none' with this model.", "reasoning_effort",
                  "unsupported_value")
    if body.get("tools") and OPENAI_EFFORT_NEEDED.match(model) and effort != "none":
        raise bad("Function tools with reasoning_effort are not supported for %s in /v1/chat/completions. To use function "
                  "tools, use /v1/responses or set reasoning_effort to 'none'." % model, "reasoning_effort")


def check_openai_tools(body):
    tools, names = body.get("tools"), set()
    if tools is None:
        return
    if not isinstance(tools, list) or not tools:
        raise bad("Invalid 'tools': empty array. Expected an array with minimum length 1.", "tools", "empty_array")
    for i, tool in enumerate(tools):
        if not isinstance(tool, dict) or set(tool) != {"type", "function"} or tool["type"] != "function":
            raise bad("Missing required parameter: 'tools[%d].function'." % i, "tools[%d].function" % i)
        function, where = tool["function"], "tools[%d].function" % i
        for field in function:
            if field not in ("name", "description", "parameters", "strict"):
                raise bad("Unknown parameter: '%s.%s'." % (where, field), "%s.%s" % (where, field), "unknown_parameter")
        if not NAME.match(str(function.get("name", ""))):
            raise bad("Invalid '%s.name': string does not match pattern. Expected a string that matches the pattern "
                      "'^[a-zA-Z0-9_-]+$'." % where, "%s.name" % where, "invalid_value")
        parameters = function.get("parameters")
        if parameters is not None and (not isinstance(parameters, dict) or parameters.get("type") != "object"):
            raise bad("Invalid schema for function '%s': schema must be a JSON Schema of 'type: \"object\"'." %
                      function["name"], "%s.parameters" % where, "invalid_function_parameters")
        if function["name"] in names:
            raise bad("Invalid 'tools': duplicate function name %s." % function["name"], "tools")
        names.add(function["name"])


def check_openai_calls(where, calls, seen):
    if not isinstance(calls, list) or not calls:
        raise bad("Invalid '%s.tool_calls': empty array. Expected an array with minimum length 1." % where,
                  "%s.tool_calls" % where, "empty_array")
    for j, call in enumerate(calls):
        here = "%s.tool_calls[%d]" % (where, j)
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or call.get("type") != "function":
            raise bad("Missing required parameter: '%s.function'." % here, here)
        if not call.get("id") or not isinstance(call["id"], str):
            raise bad("Missing required parameter: '%s.id'." % here, here + ".id", "missing_required_parameter")
        if call["id"] in seen:
            raise bad("Duplicate value for '%s.id': %s." % (here, call["id"]), here + ".id", "duplicate_value")
        seen.add(call["id"])
        if not isinstance(function.get("arguments"), str):
            raise bad("Invalid type for '%s.function.arguments': expected a string, but got an object instead." % here,
                      here + ".function.arguments", "invalid_type")
        try:
            if not isinstance(json.loads(function["arguments"]), dict):
                raise ValueError
        except ValueError:  # servers with chat templates read the arguments of earlier steps again
            raise bad("Invalid '%s.function.arguments': not a JSON object." % here, here + ".function.arguments") from None
        if not NAME.match(str(function.get("name", ""))):
            raise bad("Invalid '%s.function.name': string does not match pattern." % here, here + ".function.name")


def check_openai_messages(messages):
    if not isinstance(messages, list) or not messages:
        raise bad("Invalid 'messages': empty array. Expected an array with minimum length 1.", "messages", "empty_array")
    waiting, seen = [], set()
    for i, message in enumerate(messages):
        where = "messages[%d]" % i
        role = message.get("role") if isinstance(message, dict) else None
        if role not in OPENAI_MESSAGE_FIELDS:
            raise bad("Invalid value: '%s'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and "
                      "'developer'." % role, where + ".role", "invalid_value")
        for field in message:
            if field not in OPENAI_MESSAGE_FIELDS[role]:
                raise bad("Unknown parameter: '%s.%s'." % (where, field), "%s.%s" % (where, field), "unknown_parameter")
        if waiting and role != "tool":
            raise missing_results(where, waiting)
        content = message.get("content")
        if not isinstance(content, (str, list)) and not (role == "assistant" and message.get("tool_calls")):
            raise bad("Invalid value for 'content': expected a string, got %s." % ("null" if content is None else "object"),
                      "messages.[%d].content" % i)
        if role == "tool":
            if message.get("tool_call_id") not in waiting:
                raise bad("Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
                          "'tool_calls'.", "messages.[%d].role" % i)
            waiting.remove(message["tool_call_id"])
        if role == "assistant" and "tool_calls" in message:
            check_openai_calls(where, message["tool_calls"], seen)
            waiting = [call["id"] for call in message["tool_calls"]]
    if waiting:
        raise missing_results("messages[%d]" % len(messages), waiting)
    if messages[-1].get("role") == "assistant":
        raise bad("The conversation must end with a user or tool message.", "messages")


def missing_results(where, waiting):
    return bad("An assistant message with 'tool_calls' must be followed by tool messages responding to each "
               "'tool_call_id'. The following tool_call_ids did not have response messages: %s" % ", ".join(waiting),
               where + ".role")


# --- OpenAI embeddings --------------------------------------------------------------------------------------

def check_embeddings(headers, body, keys=None):
    if not isinstance(body, dict):
        raise bad("We could not parse the JSON body of your request.")
    model = body.get("model")
    check_bearer(headers, keys, is_local(model))
    if not isinstance(model, str) or not model:
        raise bad("you must provide a model parameter")
    if not is_local(model) and model not in EMBEDDING_SIZES:
        raise Refusal(404, "invalid_request_error", "The model `%s` does not exist or you do not have access to it." % model,
                      None, "model_not_found")
    for field in body:
        if field not in ("model", "input", "dimensions", "encoding_format", "user"):
            raise bad("Unknown parameter: '%s'." % field, field, "unknown_parameter")
    inputs = [body.get("input")] if isinstance(body.get("input"), str) else body.get("input")
    if not isinstance(inputs, list) or not inputs:
        raise bad("'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.")
    if len(inputs) > 2048:
        raise bad("'$.input' is invalid: at most 2048 inputs.")
    for text in inputs:
        if not isinstance(text, str) or text == "":
            raise bad("'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.")
        if len(text) // 4 > 8192:
            raise bad("This model's maximum context length is 8192 tokens, however you requested %d tokens." % (len(text) // 4))
    if sum(len(t) for t in inputs) // 4 > 300000:
        raise bad("Requested tokens exceed max 300000 tokens per request.", None, "max_tokens_per_request")
    if body.get("encoding_format", "float") not in ("float", "base64"):
        raise bad("Invalid value for 'encoding_format'.", "encoding_format")
    size = body.get("dimensions")
    if size is not None:
        if model == "text-embedding-ada-002":
            raise bad("This model does not support specifying dimensions.", "dimensions")
        if type(size) is not int or not 1 <= size <= EMBEDDING_SIZES.get(model, 4096):
            raise bad("Invalid value for 'dimensions' = %s. Must be less than or equal to %d." %
                      (size, EMBEDDING_SIZES.get(model, 4096)), "dimensions")
    return inputs
