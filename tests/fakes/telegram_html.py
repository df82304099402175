# SPDX-License-Identifier: MIT
"""Telegram's HTML parse mode, as tdlib reads it: tags, attributes, errors with byte offsets, entities in UTF-16 units."""

TAGS = {b"a", b"b", b"strong", b"i", b"em", b"s", b"strike", b"del", b"u", b"ins", b"tg-spoiler", b"tg-emoji", b"span",
        b"pre", b"code", b"blockquote"}
KIND = {"b": "bold", "strong": "bold", "i": "italic", "em": "italic", "s": "strikethrough", "strike": "strikethrough",
        "del": "strikethrough", "u": "underline", "ins": "underline", "tg-spoiler": "spoiler", "span": "spoiler",
        "pre": "pre", "code": "code", "blockquote": "blockquote", "a": "text_link", "tg-emoji": "custom_emoji"}
NAMED = {b"lt": "<", b"gt": ">", b"amp": "&", b"quot": '"'}
SPACE_BYTES = (b" ", b"\t", b"\r", b"\n", b"\0", b"\v")


class Refused(Exception):
    """The text after "can't parse entities: "."""


def utf16_units(text):
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf16_slice(text, offset, length):
    return text.encode("utf-16-le", "surrogatepass")[2 * offset:2 * (offset + length)].decode("utf-16-le", "replace")


def _char_reference(raw, pos):
    """(character, position after it), or (None, pos) when what stands there is plain text."""
    end = pos + 1
    if raw[end:end + 1] == b"#":
        end += 1
        base = 10
        if raw[end:end + 1] == b"x":
            base, end = 16, end + 1
        start = end
        digits = b"0123456789" if base == 10 else b"0123456789abcdefABCDEF"
        while end < len(raw) and raw[end] in digits:
            end += 1
        value = int(raw[start:end] or b"0", base)
        if value == 0 or value >= 0x10FFFF or end - pos >= 10:
            return None, pos
        if 0xD800 <= value < 0xE000:
            raise Refused("Text contains invalid Unicode characters after decoding HTML entities, check for unmatched "
                          "surrogate code units")
        char = chr(value)
    else:
        while end < len(raw) and raw[end:end + 1].isalpha():
            end += 1
        char = NAMED.get(raw[pos + 1:end])
        if char is None:
            return None, pos
    return char, end + 1 if raw[end:end + 1] == b";" else end


class _Parser:
    def __init__(self, text):
        self.raw = text.encode("utf-8")
        self.at = 0
        self.out = []
        self.units = 0
        self.open = []  # (tag, argument, offset in units)
        self.entities = []

    def byte(self):
        return self.raw[self.at:self.at + 1]

    def space(self):
        return self.byte() == b"" or self.byte() in SPACE_BYTES

    def skip_space(self):
        while self.byte() and self.byte() in SPACE_BYTES:
            self.at += 1

    def emit(self, text):
        self.out.append(text)
        self.units += utf16_units(text)

    def run(self):
        while self.at < len(self.raw):
            byte = self.byte()
            if byte == b"<":
                begin = self.at
                self.at += 1
                if self.byte() == b"/":
                    self.end_tag(begin)
                else:
                    self.start_tag(begin)
                continue
            if byte == b"&":
                char, after = _char_reference(self.raw, self.at)
                if char is not None:
                    self.emit(char)
                    self.at = after
                    continue
                self.emit("&")
                self.at += 1
                continue
            end = self.at
            while end < len(self.raw) and self.raw[end] not in b"<&":
                end += 1
            self.emit(self.raw[self.at:end].decode("utf-8"))
            self.at = end
        if self.open:
            raise Refused("Can't find end tag corresponding to start tag \"%s\"" % self.open[-1][0])
        return "".join(self.out), sorted(self.entities, key=lambda e: (e["offset"], -e["length"]))

    def start_tag(self, begin):
        while self.at < len(self.raw) and not self.space() and self.byte() != b">":
            self.at += 1
        if self.at >= len(self.raw):
            raise Refused("Unclosed start tag at byte offset %d" % begin)
        tag = self.raw[begin + 1:self.at].lower()
        name = tag.decode("utf-8", "replace")
        if tag not in TAGS:
            raise Refused('Unsupported start tag "%s" at byte offset %d' % (name, begin))
        argument = ""
        while self.byte() != b">":
            self.skip_space()
            if self.byte() == b">":
                break
            attribute, value = self.attribute(name, begin)
            if (name, attribute) in (("a", "href"), ("tg-emoji", "emoji-id")):
                argument = value
            elif name == "code" and attribute == "class" and value.startswith("language-"):
                argument = value[9:]
            elif name == "span" and attribute == "class" and value.startswith("tg-"):
                argument = value[3:]
            elif name == "blockquote" and attribute == "expandable":
                argument = "1"
        self.at += 1
        if name == "span" and argument != "spoiler":
            raise Refused('Tag "span" must have class "tg-spoiler" at byte offset %d' % begin)
        self.open.append((name, argument, self.units))

    def attribute(self, tag, begin):
        start = self.at
        while self.at < len(self.raw) and not self.space() and self.byte() not in (b"=", b">", b"/", b'"', b"'"):
            self.at += 1
        attribute = self.raw[start:self.at].decode("utf-8", "replace")
        if not attribute:
            raise Refused('Empty attribute name in the tag "%s" at byte offset %d' % (tag, begin))
        self.skip_space()
        if self.byte() != b"=":
            if not self.byte():
                raise Refused('Unclosed start tag "%s" at byte offset %d' % (tag, begin))
            return attribute, ""
        self.at += 1
        self.skip_space()
        if not self.byte():
            raise Refused('Unclosed start tag "%s" at byte offset %d' % (tag, begin))
        if self.byte() in (b'"', b"'"):
            value = self.quoted()
        else:
            token = self.at
            while self.byte() and (self.byte().isalnum() or self.byte() in (b".", b"-")):
                self.at += 1
            value = self.raw[token:self.at].decode("ascii", "replace").lower()
            if self.byte() and not self.space() and self.byte() != b">":
                raise Refused("Unexpected end of name token at byte offset %d" % token)
        if not self.byte():
            raise Refused("Unclosed start tag at byte offset %d" % begin)
        return attribute, value

    def quoted(self):
        quote, value = self.byte(), b""
        self.at += 1
        while self.byte() and self.byte() != quote:
            if self.byte() == b"&":
                char, after = _char_reference(self.raw, self.at)
                if char is not None:
                    value += char.encode("utf-8")
                    self.at = after
                    continue
            value += self.byte()
            self.at += 1
        if self.byte() == quote:
            self.at += 1
        return value.decode("utf-8", "replace")

    def end_tag(self, begin):
        if not self.open:
            raise Refused("Unexpected end tag at byte offset %d" % begin)
        while self.at < len(self.raw) and not self.space() and self.byte() != b">":
            self.at += 1
        name = self.raw[begin + 2:self.at].decode("utf-8", "replace")
        self.skip_space()
        if self.byte() != b">":
            raise Refused("Unclosed end tag at byte offset %d" % begin)
        self.at += 1
        tag, argument, offset = self.open[-1]
        if name and name != tag:
            raise Refused('Unmatched end tag at byte offset %d, expected "</%s>", found "</%s>"' % (begin, tag, name))
        self.open.pop()
        if self.units == offset:
            return
        entity = {"type": KIND[tag], "offset": offset, "length": self.units - offset}
        if tag == "a":
            entity["url"] = argument or "".join(self.out)[-(self.units - offset):]
        elif tag == "blockquote" and argument:
            entity["type"] = "expandable_blockquote"
        elif tag == "tg-emoji":
            entity["custom_emoji_id"] = argument
        elif tag == "code" and argument and self.open and self.open[-1][0] == "pre":
            entity.update(type="pre", language=argument)
        self.entities.append(entity)



def parse(text):
    """(plain text, entities); raises Refused."""
    return _Parser(text).run()
