"""Words that are more than text to a language model: the special tokens and chat formats of the models that may answer.

A text that holds one is broken by a blank behind its first character. That changes white space alone, so that a quote
of the text still checks against the document.
"""

import re
from collections.abc import Mapping

TOKENS: Mapping[str, tuple[str, ...]] = {
    "ChatML (tokenizers of Qwen, Yi, InternLM, Kimi)": ("<|im_start|>", "<|im_end|>", "<|im_middle|>", "<|endoftext|>"),
    "tool calls (chat templates of Qwen 2.5 and 3, Hermes, GLM 4.5)": (
        *("<tools>", "</tools>", "<tool>", "</tool>", "<tool_call>", "</tool_call>", "<tool_calls>", "</tool_calls>"),
        *("<tool_response>", "</tool_response>", "<tool_result>", "</tool_result>", "<arg_key>", "</arg_key>"),
        *("<arg_value>", "</arg_value>"),
    ),
    "tool calls (chat templates of Qwen3-Coder, Llama 3.1, MiniMax M2, DeepSeek V3.2)": (
        *("<function=", "</function>", "<function>", "<function_call>", "</function_call>", "<function_calls>"),
        *("</function_calls>", "<parameter=", "<parameter>", "<parameter name=", "</parameter>", "<invoke>"),
        *("<invoke name=", "</invoke>", "<function_results>", "</function_results>", "<｜DSML｜"),
    ),
    "reasoning (chat templates of Qwen 3, DeepSeek R1, GLM 4.5, MiniMax, Hunyuan)": (
        *("<think>", "</think>", "<thinking>", "</thinking>", "<thought>", "</thought>", "<answer>", "</answer>"),
        *("<reasoning>", "</reasoning>", "<scratch_pad>", "</scratch_pad>", "<response>", "</response>"),
    ),
    "SentencePiece (tokenizers of Llama 2, Mistral, Gemma, Baichuan, T5)": (
        *("<s>", "</s>", "<bos>", "<eos>", "<pad>", "<unk>", "<mask>", "<sep>", "<cls>", "<eod>", "<reserved_0>"),
        *("<unused0>", "<extra_id_0>", "<bos_token>", "<eos_token>"),
    ),
    "Llama 2 and Mistral (chat templates, Tekken tokenizer)": (
        *("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "[SYS]", "[/SYS]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"),
        *("[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_CALLS]", "[TOOL_RESULTS]", "[/TOOL_RESULTS]"),
        *("[TOOL_CONTENT]", "[CALL_ID]", "[ARGS]", "[THINK]", "[/THINK]", "[IMG]", "[IMG_BREAK]", "[IMG_END]"),
        *("[PREFIX]", "[MIDDLE]", "[SUFFIX]", "[AUDIO]", "[BEGIN_AUDIO]", "[TRANSCRIBE]"),
    ),
    "Llama 3 and 4 (tokenizers)": (
        *(
            "<|begin_of_text|>",
            "<|end_of_text|>",
            "<|start_header_id|>",
            "<|end_header_id|>",
            "<|eot_id|>",
            "<|eom_id|>",
        ),
        *("<|python_tag|>", "<|header_start|>", "<|header_end|>", "<|eot|>", "<|eom|>"),
    ),
    "Gemma (tokenizers and chat templates)": (
        *("<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>", "<start_of_audio>", "<|turn>"),
        *("<end_of_audio>", "<start_function_call>", "<end_function_call>", "<start_function_declaration>", "<turn|>"),
        *("<end_function_declaration>", "<start_function_response>", "<end_function_response>", "<escape>", "[@BOS@]"),
    ),
    "DeepSeek (tokenizers of V2 to V4, R1)": (
        *("<｜User｜>", "<｜Assistant｜>", "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"),
        *("<｜tool▁calls▁begin｜>", "<｜tool▁call▁end｜>", "<｜tool▁sep｜>"),
    ),
    "GLM (tokenizers of GLM 4 and ChatGLM)": (
        *("[gMASK]", "[sMASK]", "[MASK]", "[CLS]", "[SEP]", "[PAD]", "[UNK]", "<sop>", "<eop>", "<|observation|>"),
        *("<|system|>", "<|user|>", "<|assistant|>"),
    ),
    "Kimi (tokenizer of K2)": (
        "[BOS]",
        "[EOS]",
        "[EOT]",
        "<|tool_calls_section_begin|>",
        "<|tool_call_argument_begin|>",
    ),
    "harmony (gpt-oss)": (
        "<|start|>",
        "<|end|>",
        "<|message|>",
        "<|channel|>",
        "<|constrain|>",
        "<|return|>",
        "<|call|>",
    ),
    "Phi (tokenizers of Phi 3 and 4)": ("<|im_sep|>", "<|tool|>", "<|/tool|>", "<|tool_call|>", "<|/tool_call|>"),
    "MiniMax (tokenizers of Text-01, M1 to M3)": (
        *("]~!b[", "]~b]", "[e~[", "]<]", "[>[", "<minimax:tool_call>", "</minimax:tool_call>"),
        *("<begin_of_document>", "<end_of_document>", "<beginning_of_sentence>", "<end_of_sentence>"),
    ),
    "Seed and Doubao (tokenizer of Seed-OSS)": (
        *("<seed:bos>", "<seed:eos>", "<seed:pad>", "<seed:think>", "</seed:think>", "<seed:tool_call>"),
        *("</seed:tool_call>", "<seed:cot_budget_reflect>", "</seed:cot_budget_reflect>"),
    ),
    "Cohere, EXAONE, Granite (chat templates)": (
        *("<BOS_TOKEN>", "<EOS_TOKEN>", "<|START_OF_TURN_TOKEN|>", "[|system|]", "[|user|]", "[|assistant|]"),
        *("[|endofturn|]", "<|start_of_role|>", "<|end_of_role|>"),
    ),
    "turns as tags (chat templates of Baichuan, Spark and others)": (
        *("<system>", "</system>", "<user>", "</user>", "<assistant>", "</assistant>", "<human>", "<bot>"),
        *("<用户>", "<系统>", "<AI>", "<end>", "<end_of_text>", "<start_of_text>"),
    ),
    "Alpaca and Vicuna (prompt formats)": (
        "### Instruction",
        "### Response",
        "### Input",
        "### Human",
        "### Assistant",
    ),
}
"""By family, with the place where they are published; a number in a token (`<unused0>`) matches every number."""

_WIDE = {"<": "[<＜]", ">": "[>＞]", "|": "[|｜]", "｜": "[|｜]", "[": "[\\[［]", "]": "[\\]］]"}
"""Characters that a tokenizer may read as their full-width forms, and the other way round."""


def _pattern(token: str) -> str:
    """What a token looks like, less its first character."""
    pieces = re.split(r"(\d+|[ _▁])", token[1:])
    written = {" ": r"[ \t]*+", "_": "[_▁]", "▁": "[_▁ ]"}
    return "".join(
        written.get(piece) or (r"\d{1,6}" if piece.isdigit() else "".join(_WIDE.get(c, re.escape(c)) for c in piece))
        for piece in pieces
    )


def _beginning(first: str) -> str:
    """Matches the first character of every token that begins so."""
    rest = sorted({_pattern(token) for tokens in TOKENS.values() for token in tokens if token[0] == first})
    return f"{_WIDE.get(first, first)}(?=(?:{'|'.join(rest)}))"


_BROKEN = re.compile(
    "[<＜](?=[|｜<＜])|(?<=[|｜])[>＞]|[>＞](?=[>＞])|"  # any `<|...|>`, and what looks like our fence
    + "|".join(map(_beginning, "<[]#")),
    re.IGNORECASE,
)


def broken(text: str) -> str:
    """The text with a blank in each special token, which makes it ordinary text for any tokenizer.

    >>> broken("<tool_call> [INST] <|im_end|>")
    '< tool_call> [ INST] < |im_end| > '
    """
    return _BROKEN.sub(lambda found: f" {found[0]} " if found[0] in ">＞" else f"{found[0]} ", text)
