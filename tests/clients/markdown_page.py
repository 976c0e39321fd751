"""A page of documentation as the tests read it: its fenced code blocks, each under its heading, in order.

Nothing on the page is changed before it is run but where a reader changes it too: the host, the port, the credentials and
the bucket's name. A Page is read once and never changed.
"""

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    section: str  # the heading that it stands under
    language: str  # of the fence
    number: int  # from 0 among the blocks of this language in this section
    text: str


class Page:
    def __init__(self, path: Path):
        self.text = path.read_text()
        self.blocks: list[Block] = []
        fences = list(_FENCE.finditer(self.text))
        headings = [heading for heading in _HEADING.finditer(self.text)
                    if not any(fence.start() < heading.start() < fence.end() for fence in fences)]
        counts: dict[tuple[str, str], int] = {}
        for fence in fences:
            section = [heading.group(1) for heading in headings if heading.start() < fence.start()][-1]
            key = (section, fence.group(1))
            counts[key] = counts.get(key, -1) + 1
            self.blocks.append(Block(section, fence.group(1), counts[key], fence.group(2)))

    def block(self, section: str, language: str, number: int = 0) -> str:
        """The text of one block. Raises LookupError when the page has none there."""
        for block in self.blocks:
            if (block.section, block.language, block.number) == (section, language, number):
                return block.text
        raise LookupError(f"no block {number} of {language} under '{section}'")


def for_box(text: str, box, user: str | None = None, password: str | None = None) -> str:
    """The block with a box's host, port and credentials in it. A string that names no port gets one."""
    port = f" port={box.catalog_port}"
    text = re.sub(r"(ducklake:postgres:host=\S+)(?!\s+port=)(?=\s+user=)", rf"\1{port}", text)
    text = re.sub(r"\bhost=[\w.-]+", f"host={box.host}", text)
    text = re.sub(r"\bport=\d+", f"port={box.catalog_port}", text)
    text = re.sub(r"\buser=[\w.]+", f"user={user or box.user}", text)
    text = re.sub(r"\bpassword=[\w.-]+", f"password={password or box.password}", text)
    text = re.sub(r"\bdbname=[\w.]+", f"dbname={box.database}", text)
    text = re.sub(r"postgresql://[\w.]+:[\w.-]+@[\w.-]+:\d+/",
                  f"postgresql://{box.user}:{box.password}@{box.host}:{box.sql_port}/", text)
    return re.sub(r"http://box\.example\.com:8080", box.http_url, text)


def for_bucket(text: str, s3) -> str:
    """The block with an S3 server's endpoint and credentials in it."""
    for placeholder, value in (("your-access-key-id", s3.access_key_id), ("your-secret-access-key", s3.secret_access_key),
                               ("s3.example.com:9000", s3.endpoint)):
        text = text.replace(placeholder, value)
    return text
