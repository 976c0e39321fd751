#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "pgwire/copy_cutter.hpp"
#include "pgwire/copy_rows.hpp"
#include "pgwire/utf8.hpp"
#include "targets.hpp"

namespace boathouse::fuzz {

namespace {

using pgwire::CopyFormat;
using pgwire::CopyKind;

// What reading gave, to be compared.
struct Answer {
    std::vector<std::vector<std::optional<std::string>>> rows;
    std::uint64_t lines = 0;
    std::string failure;

    bool operator==(const Answer&) const = default;
};

struct Cut {
    std::size_t message_bytes;
    std::size_t block_bytes;
};

void read_block(const CopyFormat& format, const std::vector<std::string>& columns, pgwire::CopyBlock block,
                Answer& answer) {
    pgwire::CopyRows rows(format, columns, std::move(block));
    std::vector<pgwire::CopyField> fields;
    while (rows.next(fields)) {
        if (fields.size() > columns.size()) std::abort();
        auto& row = answer.rows.emplace_back();
        for (const pgwire::CopyField& field : fields) {
            row.push_back(field.is_null ? std::nullopt : std::optional(std::string(field.view())));
            if (format.is_lines() && pgwire::find_invalid_utf8(field.view()) != std::string_view::npos) std::abort();
        }
    }
    if (const auto& failure = rows.failure()) {
        answer.failure = std::to_string(answer.lines + failure->row.line) + failure->sqlstate;
        // What is no UTF-8 is shown with the bytes after it, as far as the block goes.
        if (failure->sqlstate != "22021") answer.failure += failure->message + std::string(failure->row.text);
    }
    answer.lines += rows.lines();
}

Answer read(const CopyFormat& format, const std::vector<std::string>& columns, std::string_view bytes, Cut cut) {
    Answer answer;
    pgwire::CopyCutter cutter(format, cut.block_bytes);
    const auto take = [&](Result<std::optional<pgwire::CopyBlock>> block) {
        if (!block) {
            answer.failure = block.error().message;
        } else if (*block) {
            read_block(format, columns, std::move(**block), answer);
        }
    };
    for (std::size_t at = 0; at < bytes.size() && answer.failure.empty(); at += cut.message_bytes) {
        cutter.feed(bytes.substr(at, cut.message_bytes));
        take(cutter.take());
    }
    if (answer.failure.empty()) take(cutter.finish());
    return answer;
}

void check(CopyFormat format, std::string_view bytes) {
    if (bytes.size() < 2) return;
    const auto choice = static_cast<unsigned char>(bytes[0]);
    const auto cut = static_cast<unsigned char>(bytes[1]);
    bytes.remove_prefix(2);
    const std::vector<std::string> columns =
        (choice & 1) != 0 ? std::vector<std::string>{"a"} : std::vector<std::string>{"a", "b", "c"};
    if (format.is_lines()) format.header = static_cast<pgwire::CopyHeader>((choice >> 1) % 3);
    if (format.is_csv() && (choice & 8) != 0) format.escape = '\\';
    if (format.is_csv() && (choice & 16) != 0) format.null_text = "NULL";
    if (format.is_csv() && (choice & 32) != 0) format.force_null = {true, true};
    if (format.is_csv() && (choice & 64) != 0) format.force_not_null = {true, false, true};
    const Answer whole = read(format, columns, bytes, {bytes.size() + 1, bytes.size() + 1});
    const Answer cut_up = read(format, columns, bytes, {cut % 16 + 1U, cut / 16 + 1U});
    if (whole != cut_up) std::abort();
}

}  // namespace

void copy_text(std::string_view bytes) {
    check({}, bytes);
}

void copy_csv(std::string_view bytes) {
    CopyFormat format;
    format.kind = CopyKind::csv;
    format.delimiter = ',';
    format.null_text = "";
    check(format, bytes);
}

void copy_binary(std::string_view bytes) {
    CopyFormat format;
    format.kind = CopyKind::binary;
    check(format, bytes);
}

}  // namespace boathouse::fuzz
