#include "ingest/body_rows.hpp"
#include "pgwire/copy_cutter.hpp"
#include "pgwire/copy_rows.hpp"

namespace boathouse::ingest {

namespace {

using engine::Outcome;
using engine::QueryError;
using engine::TextCell;
using pgwire::CopyField;

constexpr std::size_t kColumnsMax = 1'600;  // PostgreSQL's

pgwire::CopyFormat csv() {
    pgwire::CopyFormat format;
    format.kind = pgwire::CopyKind::csv;
    format.delimiter = ',';
    format.null_text = "";
    return format;
}

// Reads blocks one after the other into the same rows.
class CsvReader {
  public:
    CsvReader() : format_(csv()), columns_(kColumnsMax, "field") {}

    Outcome<void> read(pgwire::CopyBlock block);
    BodyRows finish() { return std::move(read_); }

  private:
    Outcome<void> read_header(const std::vector<CopyField>& fields);
    void add(const std::vector<CopyField>& fields, std::uint64_t line);

    const pgwire::CopyFormat format_;
    const std::vector<std::string> columns_;  // as many as there may be: rows with too many are our own to tell
    BodyRows read_;
    bool header_read_ = false;
    std::uint64_t lines_before_ = 0;
};

Outcome<void> CsvReader::read_header(const std::vector<CopyField>& fields) {
    header_read_ = true;
    for (const CopyField& field : fields) {
        if (field.is_null || field.size == 0)
            return QueryError{"22P04", "line 1 of the CSV, which names the columns, has an empty name"};
        read_.rows.columns.push_back({std::string(field.view()), {}});
    }
    return {};
}

void CsvReader::add(const std::vector<CopyField>& fields, std::uint64_t line) {
    const std::size_t wanted = read_.rows.columns.size();
    if (fields.size() != wanted) {
        read_.fault(line, {"22P04", "line " + std::to_string(line) + " has " + std::to_string(fields.size()) +
                                        " fields, the header " + std::to_string(wanted)});
        return;
    }
    read_.rows.places.push_back(line);
    for (std::size_t i = 0; i < wanted; ++i) {
        TextCell cell{read_.rows.text.size(), static_cast<std::uint32_t>(fields[i].size), TextCell::Kind::null};
        if (!fields[i].is_null) {
            cell.kind = TextCell::Kind::text;
            read_.rows.text.append(fields[i].view());
        }
        read_.rows.columns[i].cells.push_back(cell);
    }
}

Outcome<void> CsvReader::read(pgwire::CopyBlock block) {
    pgwire::CopyRows rows(format_, columns_, std::move(block));
    std::vector<CopyField> fields;
    while (rows.next(fields)) {
        if (!header_read_) {
            if (auto header = read_header(fields); !header) return header;
            continue;
        }
        add(fields, lines_before_ + rows.row().line);
    }
    if (const auto& failure = rows.failure()) {
        QueryError error{failure->sqlstate, "line " + std::to_string(lines_before_ + failure->row.line) +
                                                " of the CSV: " + failure->message};
        error.hint = failure->hint;
        return error;
    }
    lines_before_ += rows.lines();
    return {};
}

}  // namespace

Outcome<BodyRows> read_csv(std::string_view body) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (body.starts_with(kByteOrderMark)) body.remove_prefix(kByteOrderMark.size());
    pgwire::CopyCutter cutter(csv());
    CsvReader reader;
    cutter.feed(body);
    bool more = true;
    while (more) {
        auto block = cutter.take();
        if (block && !*block) {
            block = cutter.finish();
            more = false;
        }
        if (!block) return QueryError{"22P04", block.error().message};
        if (!*block) break;
        if (auto done = reader.read(std::move(**block)); !done) return done.error();
    }
    return reader.finish();
}

}  // namespace boathouse::ingest
