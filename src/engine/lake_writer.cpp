#include "engine/lake_writer.hpp"

#include <algorithm>

#include "engine/append_rows.hpp"
#include "engine/attach.hpp"
#include "engine/commit_turns.hpp"
#include "engine/database.hpp"
#include "engine/duckdb_error.hpp"
#include "engine/snapshot_appender.hpp"
#include "engine/table_shapes.hpp"

namespace boathouse::engine {

namespace {

// A commit whose connection broke may have happened: whoever would try again could write twice.
bool is_lost(const QueryError& error) {
    for (const char* words : {"onnection", "shutting down", "SSL", "Broken pipe"}) {
        if (error.message.find(words) != std::string::npos) return true;
    }
    return false;
}

QueryError lost_commit(const std::string& why) {
    QueryError error{"08007", "the catalog went away during the commit: the rows may have been written or not"};
    error.detail = why;
    return error;
}

}  // namespace

struct LakeWriter::Impl {
    Impl(Lake& opened, const catalog::Endpoint& catalog)
        : lake(opened),
          connection(opened.database().instance()),
          appender(bounded(catalog), [this](const TableShape& shape) { return shape_now(shape); }) {}

    static std::vector<TableRows> group(const std::vector<const NewRows*>& rows);
    std::shared_ptr<const TableShape> shape_now(const TableShape& shape);
    void mark_stale(const TableRows& rows, Written& written);
    // Nothing: the extension is to write them.
    std::optional<Written> append(const std::vector<TableRows>& groups, std::size_t rows, const Extras& extras);
    Written write_by_extension(const std::vector<TableRows>& groups, std::size_t rows, const Extras& extras);
    // In the transaction: marks what is stale; true if there is any.
    bool find_stale(const std::vector<TableRows>& groups, Written& written);
    void fail(Written& written, const std::exception& exception, bool committing);
    void leave_note(const std::string& note);
    long long committed_snapshot();

    Lake& lake;
    duckdb::Connection connection;
    SnapshotAppender appender;
};

LakeWriter::LakeWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LakeWriter::~LakeWriter() = default;

Outcome<std::unique_ptr<LakeWriter>> LakeWriter::open(Lake& lake, const catalog::Endpoint& catalog) {
    try {
        auto impl = std::make_unique<Impl>(lake, catalog);
        const auto used = impl->connection.Query("SET SESSION TimeZone = 'UTC'");
        if (used->HasError()) used->ThrowError();
        return std::unique_ptr<LakeWriter>(new LakeWriter(std::move(impl)));
    } catch (const std::exception& exception) {
        return to_query_error(duckdb::ErrorData(exception), lake.database().scrubber());
    }
}

std::vector<TableRows> LakeWriter::Impl::group(const std::vector<const NewRows*>& rows) {
    std::vector<TableRows> groups;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto& shape = rows[i]->impl().shape;
        auto found =
            std::find_if(groups.begin(), groups.end(), [&](const TableRows& one) { return one.shape == shape; });
        if (found == groups.end()) found = groups.insert(groups.end(), TableRows{shape, {}, {}});
        found->rows.push_back(rows[i]);
        found->places.push_back(i);
    }
    return groups;
}

std::shared_ptr<const TableShape> LakeWriter::Impl::shape_now(const TableShape& shape) {
    std::shared_ptr<const TableShape> now;
    connection.context->RunFunctionInTransaction(
        [&] { now = read_shape(*connection.context, shape.schema, shape.table); });
    return now;
}

void LakeWriter::Impl::mark_stale(const TableRows& rows, Written& written) {
    lake.shapes().forget(*rows.shape);
    for (const std::size_t place : rows.places) written.stale[place] = true;
}

bool LakeWriter::Impl::find_stale(const std::vector<TableRows>& groups, Written& written) {
    bool found = false;
    for (const TableRows& one : groups) {
        const auto now = shape_now(*one.shape);
        if (now) appender.learn_version(now->lake_version);
        if (now && now->same_as(*one.shape)) continue;
        mark_stale(one, written);
        found = true;
    }
    return found;
}

void LakeWriter::Impl::fail(Written& written, const std::exception& exception, bool committing) {
    written.error = to_query_error(duckdb::ErrorData(exception), lake.database().scrubber());
    written.verdict = written.error.sqlstate == "40001" ? Verdict::conflict : Verdict::failed;
    if (committing && is_lost(written.error)) {
        written.verdict = Verdict::unknown;
        written.error = lost_commit(written.error.message);
    }
    try {
        if (connection.HasActiveTransaction()) connection.Rollback();
    } catch (const std::exception&) {
        return;  // the transaction is over, which is all that was wanted
    }
}

void LakeWriter::Impl::leave_note(const std::string& note) {
    if (note.empty()) return;
    const auto left = connection.Query("CALL ducklake_set_commit_message('lake', NULL, NULL, extra_info => " +
                                       duckdb::KeywordHelper::WriteQuoted(note, '\'') + ")");
    if (left->HasError()) left->ThrowError();
}

// What goes wrong here changes nothing about the commit.
long long LakeWriter::Impl::committed_snapshot() {
    try {
        const auto found = connection.Query("SELECT id FROM ducklake_last_committed_snapshot('lake')");
        if (found->HasError() || found->RowCount() == 0 || found->GetValue(0, 0).IsNull()) return 0;
        return found->GetValue(0, 0).GetValue<std::int64_t>();
    } catch (const std::exception&) {
        return 0;
    }
}

LakeWriter::Written LakeWriter::Impl::write_by_extension(const std::vector<TableRows>& groups, std::size_t rows,
                                                         const Extras& extras) {
    Written written;
    written.by_extension = true;
    written.stale.assign(rows, false);
    bool committing = false;
    try {
        connection.BeginTransaction();
        if (find_stale(groups, written)) {
            written.verdict = Verdict::stale;
            connection.Rollback();
            return written;
        }
        for (const TableRows& one : groups) append_rows(connection, one.rows);
        leave_note(extras.note);
        committing = true;
        connection.Commit();
    } catch (const std::exception& exception) {
        fail(written, exception, committing);
        return written;
    }
    if (extras.wants_snapshot) written.snapshot = committed_snapshot();
    return written;
}

std::optional<LakeWriter::Written> LakeWriter::Impl::append(const std::vector<TableRows>& groups, std::size_t rows,
                                                            const Extras& extras) {
    using Fate = SnapshotAppender::Fate;
    Written written;
    written.stale.assign(rows, false);
    SnapshotAppender::Answer answer;
    try {
        answer = appender.append(groups, extras.note, extras.since);
    } catch (const std::exception&) {
        return std::nullopt;  // nothing was sent: the extension tells what is wrong
    }
    switch (answer.fate) {
        case Fate::not_covered:
            return std::nullopt;
        case Fate::committed:
            written.snapshot = answer.snapshot;
            written.transaction = answer.transaction;
            break;
        case Fate::moved:
            written.verdict = Verdict::moved;
            break;
        case Fate::stale:
            written.verdict = Verdict::stale;
            for (const TableRows* one : answer.stale) mark_stale(*one, written);
            break;
        case Fate::conflict:
            written.verdict = Verdict::conflict;
            written.error = {"40001", answer.error};
            break;
        case Fate::unknown:
            written.verdict = Verdict::unknown;
            written.error = lost_commit(answer.error);
            break;
    }
    return written;
}

LakeWriter::Written LakeWriter::write(const std::vector<const NewRows*>& rows, const Extras& extras) {
    const CommitTurns::Turn turn(impl_->lake.commit_turns());
    const auto groups = Impl::group(rows);
    if (auto written = impl_->append(groups, rows.size(), extras)) return *written;
    if (!extras.since.empty()) {
        Written moved;
        moved.verdict = Verdict::moved;
        return moved;
    }
    return impl_->write_by_extension(groups, rows.size(), extras);
}

}  // namespace boathouse::engine
