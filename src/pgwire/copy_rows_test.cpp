#include "pgwire/copy_rows.hpp"

#include <gtest/gtest.h>

#include <random>

namespace boathouse::pgwire {
namespace {

using Row = std::vector<std::optional<std::string>>;
using Rows = std::vector<Row>;

struct Answer {
    Rows rows;
    std::string failure;  // "line 3: message", empty: none

    bool operator==(const Answer&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Answer& answer) {
    for (const Row& row : answer.rows) {
        for (const auto& value : row) out << '[' << value.value_or("NULL") << ']';
        out << '\n';
    }
    return out << answer.failure;
}

CopyFormat csv() {
    CopyFormat format;
    format.kind = CopyKind::csv;
    format.delimiter = ',';
    format.null_text = "";
    return format;
}

// Fed in pieces of `piece` bytes and cut into blocks of `block` bytes.
Answer read(const CopyFormat& format, std::size_t columns, std::string_view bytes, std::size_t piece = 1,
            std::size_t block = 1) {
    const std::vector<std::string> names = [&] {
        std::vector<std::string> made;
        for (std::size_t i = 0; i < columns; ++i) made.push_back(std::string(1, static_cast<char>('a' + i)));
        return made;
    }();
    Answer answer;
    std::uint64_t lines = 0;
    const auto take = [&](Result<std::optional<CopyBlock>> cut) {
        if (!cut) {
            answer.failure = cut.error().message;
            return;
        }
        if (!*cut) return;
        CopyRows rows(format, names, std::move(**cut));
        std::vector<CopyField> fields;
        while (rows.next(fields)) {
            Row& row = answer.rows.emplace_back();
            for (const CopyField& field : fields)
                row.push_back(field.is_null ? std::nullopt : std::optional(std::string(field.view())));
        }
        if (rows.failure()) {
            answer.failure =
                "line " + std::to_string(lines + rows.failure()->row.line) + ": " + rows.failure()->message;
        }
        lines += rows.lines();
    };
    CopyCutter cutter(format, block);
    for (std::size_t at = 0; at < bytes.size() && answer.failure.empty(); at += piece) {
        cutter.feed(bytes.substr(at, piece));
        take(cutter.take());
    }
    if (answer.failure.empty()) take(cutter.finish());
    return answer;
}

TEST(CopyRows, ReadsTextWithEscapesAndNull) {
    EXPECT_EQ(read({}, 2, "1\ta\\tb\\\\\n\\N\t\\x41\\101\\q\n\t\n\\.\nignored"),
              (Answer{{{"1", "a\tb\\"}, {std::nullopt, "AAq"}, {"", ""}}, ""}));
    EXPECT_EQ(read({}, 1, "a\\\nb\nlast\\.\nignored"), (Answer{{{"a\nb"}, {"last"}}, ""}));
    EXPECT_EQ(read({}, 1, "a\r\nb\r\n\\.\r\n"), (Answer{{{"a"}, {"b"}}, ""}));
    EXPECT_EQ(read({}, 1, "a\rb\r"), (Answer{{{"a"}, {"b"}}, ""}));
}

TEST(CopyRows, ReadsCsvAsPostgresqlDoes) {
    // Of line breaks in quotes PostgreSQL counts those that end lines, and in the first line carriage returns.
    EXPECT_EQ(read(csv(), 3, "1,\"a,\"\"b\"\"\n\",\n\"\",x\"y\"z, \"q\" \r\n"),
              (Answer{{{"1", "a,\"b\"\n", std::nullopt}}, "line 2: unquoted carriage return found in data"}));
    EXPECT_EQ(read(csv(), 3, "\"\",x\"y\"z, \"q\" \nlast,line,"),
              (Answer{{{"", "xyz", " q "}, {"last", "line", std::nullopt}}, ""}));
    EXPECT_EQ(read(csv(), 1, "a\n\n\\.x\n\"\\.\"\n\\.\nignored"),
              (Answer{{{"a"}, {std::nullopt}, {"\\.x"}, {"\\."}}, ""}));
    CopyFormat escaped = csv();
    escaped.escape = '\\';
    EXPECT_EQ(read(escaped, 2, "\"a\\\"\n\",\"\\x\\\\\"\n"), (Answer{{{"a\"\n", "\\x\\"}}, ""}));
}

TEST(CopyRows, ForcesNullsAndTexts) {
    CopyFormat format = csv();
    format.force_null = {true, false};
    format.force_not_null = {false, true};
    EXPECT_EQ(read(format, 2, "\"\",\n"), (Answer{{{std::nullopt, ""}}, ""}));
}

TEST(CopyRows, SkipsOrChecksTheHeader) {
    CopyFormat format = csv();
    format.header = CopyHeader::line;
    EXPECT_EQ(read(format, 2, "x\n1,2\n"), (Answer{{{"1", "2"}}, ""}));
    format.header = CopyHeader::match;
    EXPECT_EQ(read(format, 2, "a,b\n1,2\n"), (Answer{{{"1", "2"}}, ""}));
    EXPECT_EQ(read(format, 2, "a,c\n1,2\n").failure,
              "line 1: column name mismatch in header line field 2: got \"c\", expected \"b\"");
    EXPECT_EQ(read(format, 2, "a\n").failure, "line 1: wrong number of fields in header line: got 1, expected 2");
}

TEST(CopyRows, SaysWhatIsWrongAndWhere) {
    EXPECT_EQ(read(csv(), 1, "1\n\"open").failure, "line 2: unterminated CSV quoted field");
    EXPECT_EQ(read(csv(), 1, "1\n2,3\n").failure, "line 2: extra data after last expected column");
    EXPECT_EQ(read({}, 1, "1\na\rb\n").failure, "line 2: literal carriage return found in data");
    EXPECT_EQ(read({}, 1, "1\r\na\nb\r\n").failure, "line 2: literal newline found in data");
    EXPECT_EQ(read({}, 1, "1\na\\.b\n").failure, "line 2: end-of-copy marker corrupt");
    EXPECT_EQ(read({}, 1, "1\n\xff\n").failure, "line 2: invalid byte sequence for encoding \"UTF8\": 0xff");
    EXPECT_EQ(read({}, 1, "1\n\\xe4\n").failure, "line 2: invalid byte sequence for encoding \"UTF8\": 0xe4");
    EXPECT_EQ(read({}, 2, "1\n").rows, Rows{{"1"}});
}

std::string binary(std::string_view tuples) {
    return std::string(kCopyBinarySignature) + std::string(8, '\0') + std::string(tuples);
}

TEST(CopyRows, ReadsTuples) {
    CopyFormat format;
    format.kind = CopyKind::binary;
    using namespace std::string_view_literals;
    const auto rows = "\0\2\0\0\0\1x\377\377\377\377\0\2\0\0\0\0\0\0\0\1y"sv;
    const Answer both{{{"x", std::nullopt}, {"", "y"}}, ""};
    EXPECT_EQ(read(format, 2, binary(std::string(rows) + "\377\377")), both);
    EXPECT_EQ(read(format, 2, binary(rows)), both);
    EXPECT_EQ(read(format, 2, binary(rows.substr(0, 9))).failure, "line 1: unexpected EOF in COPY data");
    EXPECT_EQ(read(format, 1, binary(rows)).failure, "line 1: row field count is 2, expected 1");
    EXPECT_EQ(read(format, 2, binary("\377\377more")).failure, "line 1: received copy data after EOF marker");
    EXPECT_EQ(read(format, 1, binary("\0\1\377\377\377\376"sv)).failure, "line 1: invalid field size");
    EXPECT_EQ(read(format, 2, "PGCOPY, no").failure, "COPY file signature not recognized");
}

// However the stream is cut into messages and blocks, its rows are the same; and what is written is read back.
TEST(CopyRows, RoundTripsHoweverItIsCut) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    constexpr std::string_view kBytes = "ab,\t\n\r\"'\\N.x1 \b";
    CopyFormat odd = csv();
    odd.quote = '\'';
    odd.escape = '\\';
    odd.null_text = "NULL";
    for (const CopyFormat& format : {CopyFormat(), csv(), odd}) {
        for (int round = 0; round < 500; ++round) {
            Rows rows(1 + random() % 4);
            Buffer out;
            for (Row& row : rows) {
                for (int column = 0; column < 3; ++column) {
                    std::string value;
                    for (std::size_t length = random() % 6; length > 0; --length)
                        value += kBytes[random() % kBytes.size()];
                    row.push_back(random() % 4 == 0 ? std::nullopt : std::optional<std::string>(value));
                    if (column > 0) out.put_byte(format.delimiter);
                    if (!row.back()) out.put(format.null_text);
                    if (row.back()) put_copy_value(out, *row.back(), format, {});
                }
                out.put_byte('\n');
            }
            const Answer expected{rows, ""};
            ASSERT_EQ(read(format, 3, out.view(), 1 + random() % 9, 1 + random() % 30), expected) << out.view();
        }
    }
}

// Whatever the bytes, the cuts make no difference.
TEST(CopyRows, AnswersTheSameHoweverItIsCut) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    constexpr std::string_view kBytes = "a,\t\n\n\r\"\"\\.";
    CopyFormat escaped = csv();
    escaped.escape = '\\';
    for (const CopyFormat& format : {CopyFormat(), csv(), escaped}) {
        for (int round = 0; round < 3000; ++round) {
            std::string bytes;
            for (std::size_t length = random() % 24; length > 0; --length) bytes += kBytes[random() % kBytes.size()];
            const Answer whole = read(format, 2, bytes, bytes.size() + 1, 1000);
            ASSERT_EQ(read(format, 2, bytes, 1 + random() % 3, 1 + random() % 4), whole)
                << testing::PrintToString(bytes);
        }
    }
}

}  // namespace
}  // namespace boathouse::pgwire
