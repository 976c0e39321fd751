#include "pgwire/copy_format.hpp"

#include <gtest/gtest.h>

#include <random>

namespace boathouse::pgwire {
namespace {

using Rows = std::vector<CopyReader::Row>;

CopyFormat csv() {
    CopyFormat format;
    format.csv = true;
    format.delimiter = ',';
    format.null_text = "";
    return format;
}

// Fed in pieces of `piece` bytes.
Result<Rows> read(const CopyFormat& format, std::string_view bytes, std::size_t piece = 1) {
    Rows rows;
    CopyReader reader(format, [&](const CopyReader::Row& row) {
        rows.push_back(row);
        return Status();
    });
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        if (auto fed = reader.feed(bytes.substr(at, piece)); !fed) return fed.error();
    }
    if (auto finished = reader.finish(); !finished) return finished.error();
    return rows;
}

TEST(CopyReader, ReadsTextWithEscapesAndNull) {
    EXPECT_EQ(read({}, "1\ta\\tb\\\\\n\\N\t\\x41\\101\\q\r\n\t\n\\.\nignored").value(),
              (Rows{{"1", "a\tb\\"}, {std::nullopt, "AAq"}, {"", ""}}));
}

TEST(CopyReader, ReadsCsvAsPostgresqlDoes) {
    EXPECT_EQ(read(csv(), "1,\"a,\"\"b\"\"\n\",\n\"\",x\r\nlast,line").value(),
              (Rows{{"1", "a,\"b\"\n", std::nullopt}, {"", "x"}, {"last", "line"}}));
    CopyFormat with_header = csv();
    with_header.header = true;
    EXPECT_EQ(read(with_header, "a,b\n1,2\n").value(), (Rows{{"1", "2"}}));
}

TEST(CopyReader, NamesTheLineOfAnError) {
    EXPECT_EQ(read(csv(), "1\n\"open").error().message, "unterminated CSV quoted field in line 2 of the COPY");
}

// What is written is read back, wherever the stream is cut.
TEST(CopyFormat, RoundTrips) {
    const unsigned seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    constexpr std::string_view kBytes = "ab,\t\n\r\"\\N.x1 \b";
    CopyFormat odd = csv();
    odd.quote = '\'';
    odd.escape = '\\';
    odd.null_text = "NULL";
    for (const CopyFormat& format : {CopyFormat(), csv(), odd}) {
        for (int round = 0; round < 500; ++round) {
            Rows rows(1 + random() % 4);
            Buffer out;
            for (CopyReader::Row& row : rows) {
                for (int column = 0; column < 3; ++column) {
                    std::string value;
                    for (std::size_t length = random() % 6; length > 0; --length)
                        value += kBytes[random() % kBytes.size()];
                    row.push_back(random() % 4 == 0 ? std::nullopt : std::optional<std::string>(value));
                    if (column > 0) out.put_byte(format.delimiter);
                    put_copy_value(out, row.back(), format, false);
                }
                out.put_byte('\n');
            }
            EXPECT_EQ(read(format, out.view(), 1 + random() % 9).value(), rows) << out.view();
        }
    }
}

}  // namespace
}  // namespace boathouse::pgwire
