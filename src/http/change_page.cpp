#include "http/change_page.hpp"

#include <array>
#include <fstream>

#include "base/log.hpp"
#include "http/problem.hpp"

namespace boathouse::http {
namespace {

using engine::QueryError;

std::string quoted(const std::string& text, char mark) {
    std::string out(1, mark);
    for (const char letter : text) {
        if (letter == mark) out += mark;
        out += letter;
    }
    return out + mark;
}

// The changes of one snapshot. The columns get names of ours: the table's may be called as those of table_changes.
std::string query_of(const feed::ChangedSnapshot& snapshot) {
    std::string aliases;
    std::string data;
    for (std::size_t i = 0; i < snapshot.columns.size(); ++i) {
        aliases += fmt::format(", c{}", i);
        data += fmt::format("{}{}: c{}", i == 0 ? "" : ", ", quoted(snapshot.columns[i], '\''), i);
    }
    return fmt::format(
        "SELECT {0} AS n, r, k, to_json({{{1}}}) AS d FROM ducklake_table_changes('lake', {2}, {3}, {0}, {0}) "
        "AS changes(s, r, k{4})",
        snapshot.number, data, quoted(snapshot.schema, '\''), quoted(snapshot.table, '\''), aliases);
}

// In an order that is the same each time, so that a cursor may count.
std::string query_of(const feed::Span& span, const feed::Position& position, long long changes_max) {
    std::string all;
    for (const feed::ChangedSnapshot& snapshot : span.snapshots)
        all += (all.empty() ? "" : " UNION ALL ") + query_of(snapshot);
    return fmt::format(
        "SELECT concat(n, '.', i) AS \"cursor\", n AS \"snapshot\", r AS \"row\", k AS \"change\", d AS \"data\" FROM "
        "(SELECT *, row_number() OVER (PARTITION BY n ORDER BY r, CASE k WHEN 'delete' THEN 0 WHEN 'update_preimage' "
        "THEN 1 WHEN 'update_postimage' THEN 2 ELSE 3 END, d::VARCHAR) AS i FROM ({}) AS every) AS numbered "
        "WHERE n > {} OR i > {} ORDER BY n, i LIMIT {}",
        all, position.snapshot, position.told, changes_max);
}

Response gone(const feed::Span& span) {
    QueryError error{"72000", span.gone};
    error.hint = fmt::format(
        "Read the table anew, AT (VERSION => N), then its changes with since=N; {} is the earliest N.", span.oldest);
    return problem(error, {{"oldest", std::to_string(span.oldest)}});
}

Response with_hint(QueryError error, const std::string& hint) {
    error.hint = hint;
    return problem(error);
}

struct Lines {
    long long count = 0;
    std::string last{};  // its beginning
};

Lines lines_of(const std::string& path) {
    constexpr std::size_t kBeginningBytes = 64;
    Lines lines;
    std::ifstream file(path, std::ios::binary);
    std::array<char, std::size_t{64} * 1024> block;
    bool at_begin = true;
    while (file.read(block.data(), block.size()) || file.gcount() > 0) {
        for (const char letter : std::string_view(block.data(), static_cast<std::size_t>(file.gcount()))) {
            if (at_begin) lines.last.clear();
            at_begin = letter == '\n';
            if (at_begin) ++lines.count;
            if (lines.last.size() < kBeginningBytes) lines.last += letter;
        }
    }
    return lines;
}

}  // namespace

std::string cursor_of(std::string_view line) {
    constexpr std::string_view kBegin = R"({"cursor":")";
    if (!line.starts_with(kBegin)) return {};
    line.remove_prefix(kBegin.size());
    return std::string(line.substr(0, line.find('"')));
}

Response catalog_problem(const Error& error) {
    switch (error.kind) {
        case ErrorKind::not_found:
            return with_hint({"42P01", error.message}, error.hint);
        case ErrorKind::configuration:
            return with_hint({"22023", error.message}, error.hint);
        case ErrorKind::limit:
            return with_hint({"53400", error.message}, error.hint);
        case ErrorKind::unavailable:
        case ErrorKind::permission:
        case ErrorKind::conflict:
        case ErrorKind::corrupt:
        case ErrorKind::internal:
            break;
    }
    return with_hint({"57P03", "the catalog cannot be asked: " + error.message}, error.hint);
}

std::optional<Response> refuse_reader(ApiState& state, const Request& request, const feed::TableId& table) {
    auto statement = Statement::begin(state, request);
    if (!statement) return problem(statement.error());
    auto parsed =
        (*statement)
            ->engine()
            .parse("SELECT * FROM lake." + quoted(table.schema, '"') + "." + quoted(table.table, '"') + " LIMIT 0");
    if (!parsed) return problem(parsed.error());
    const auto run = (*statement)->engine().run(std::move(*parsed));
    if (!run) return problem((*statement)->reason(run.error()));
    return std::nullopt;
}

std::variant<ChangePage, Response> read_changes(ApiState& state, const Request& request, const ChangeReader& reader,
                                                long long changes_max) {
    const auto span = state.feed.lake.ask([&](catalog::Connection& lake) {
        return feed::next_span(lake, reader.table, reader.position, reader.position.told + changes_max);
    });
    if (!span) return catalog_problem(span.error());
    if (!span->gone.empty()) return gone(*span);
    ChangePage page{.reaches = span->reaches};
    if (span->snapshots.empty()) return page;
    auto statement = Statement::begin(state, request);
    if (!statement) return problem(statement.error());
    auto parsed = (*statement)->engine().parse(query_of(*span, reader.position, changes_max));
    if (!parsed) return problem(parsed.error());
    auto answer = (*statement)->engine().run_to_file(std::move(*parsed), engine::FileFormat::ndjson);
    if (!answer) return problem((*statement)->reason(answer.error()));
    const Lines lines = lines_of(answer->path);
    if (lines.count == 0) return page;
    page.file = std::move(answer->path);
    page.keeps = std::move(answer->keeps);
    const auto last = feed::parse_position(cursor_of(lines.last));
    if (lines.count == changes_max && last) page.reaches = *last;
    return page;
}

}  // namespace boathouse::http
