// POST /v1/tables/{schema}.{table}/rows: rows for a table, all or those that are good, in one commit with those of
// other clients.
//
// A RowsRequest goes through the SQL door's threads until its rows are made, then waits in the gatherer without one,
// and answers from the committer's thread. Rows whose table has changed meanwhile are made again.
#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/json.hpp>
#include <boost/url/parse_query.hpp>
#include <future>

#include "http/api.hpp"
#include "http/content_encoding.hpp"
#include "http/problem.hpp"
#include "ingest/body_rows.hpp"

namespace boathouse::http {

namespace {

namespace json = boost::json;
using boost::beast::http::field;
using boost::beast::http::status;
using engine::Outcome;
using engine::QueryError;
using engine::UploadFormat;

// How often rows are made again because their table has changed.
constexpr int kTriesMax = 5;

struct RowsOptions {
    bool create = false;
    bool add_columns = false;
    bool skips_faulty = false;
};

Outcome<bool> flag(std::string_view name, std::string_view value) {
    if (value == "true" || value == "1" || value.empty()) return true;
    if (value == "false" || value == "0") return false;
    return QueryError{"22023", std::string(name) + " is true or false, not \"" + std::string(value) + "\""};
}

Outcome<RowsOptions> options_of(const std::string& query) {
    RowsOptions options;
    if (query.empty()) return options;
    const auto parameters = boost::urls::parse_query(query);
    if (!parameters) return QueryError{"22023", "the query part of the address cannot be read"};
    for (const auto& parameter : boost::urls::params_view(*parameters)) {
        const std::string& name = parameter.key;
        if (name == "create" || name == "add_columns") {
            const auto value = flag(name, parameter.value);
            if (!value) return value.error();
            (name == "create" ? options.create : options.add_columns) = *value;
        } else if (name == "on_error" && (parameter.value == "skip" || parameter.value == "fail")) {
            options.skips_faulty = parameter.value == "skip";
        } else if (name == "on_error") {
            return QueryError{"22023", "on_error is fail or skip, not \"" + parameter.value + "\""};
        } else {
            QueryError error{"22023", "unknown parameter \"" + name + "\""};
            error.hint = "Known are create, add_columns and on_error.";
            return error;
        }
    }
    return options;
}

// "/v1/tables/sales.orders/rows"; a table without a schema is public's.
std::optional<engine::TableName> table_of(std::string_view path) {
    constexpr std::string_view kBegin = "/v1/tables/";
    constexpr std::string_view kEnd = "/rows";
    if (!path.starts_with(kBegin) || !path.ends_with(kEnd) || path.size() <= kBegin.size() + kEnd.size())
        return std::nullopt;
    const std::string_view name = path.substr(kBegin.size(), path.size() - kBegin.size() - kEnd.size());
    const std::size_t dot = name.find('.');
    if (dot == std::string_view::npos) return engine::TableName{"public", std::string(name)};
    if (dot == 0 || dot + 1 == name.size()) return std::nullopt;
    return engine::TableName{std::string(name.substr(0, dot)), std::string(name.substr(dot + 1))};
}

std::optional<UploadFormat> format_of(const std::string& type) {
    if (type == "application/x-ndjson" || type == "application/jsonl") return UploadFormat::ndjson;
    if (type == "application/json") return UploadFormat::json;
    if (type == "text/csv") return UploadFormat::csv;
    if (type == "application/vnd.apache.parquet") return UploadFormat::parquet;
    if (type == "application/vnd.apache.arrow.stream") return UploadFormat::arrow;
    return std::nullopt;
}

std::string quoted(const std::string& name) {
    std::string out = "\"";
    for (const char letter : name) {
        if (letter == '"') out += '"';
        out += letter;
    }
    return out + '"';
}

json::array faults_of(const std::vector<engine::RowFault>& faults) {
    json::array named;
    for (const engine::RowFault& fault : faults) {
        json::object one{{"row", fault.place}, {"code", fault.error.sqlstate}, {"message", fault.error.message}};
        if (!fault.column.empty()) one["column"] = fault.column;
        if (!fault.error.hint.empty()) one["hint"] = fault.error.hint;
        named.push_back(std::move(one));
    }
    return named;
}

class RowsRequest : public std::enable_shared_from_this<RowsRequest> {
  public:
    RowsRequest(std::shared_ptr<ApiState> state, Request request, Respond respond, engine::TableName table,
                RowsOptions options, UploadFormat format)
        : state_(std::move(state)),
          request_(std::move(request)),
          respond_(std::move(respond)),
          table_(std::move(table)),
          options_(options),
          format_(format) {}

    void start() {
        run_as_statement(*state_, respond_, [self = shared_from_this()] { self->read(); });
    }

  private:
    // Whether the body says itself of which types its values are; the others are texts.
    bool has_types() const { return format_ == UploadFormat::parquet || format_ == UploadFormat::arrow; }
    void read();
    // Whether the request is to be carried out; else it is answered.
    bool claim_key();
    void settle();
    void respond_committed();
    // Makes the rows and lets them join a commit.
    void write();
    Outcome<engine::TakenRows> take(Statement& statement);
    Outcome<void> prepare_table(Statement& statement);
    static Outcome<void> run(Statement& statement, const std::string& sql);
    void join(engine::NewRows rows);
    void on_fate();
    // What is answered, but for the snapshot's number.
    json::object report() const;
    void respond_written(const json::object& answer);
    // Gives the key back first: whoever has the answer may send it again.
    void respond(Response response);
    Response refuse_faults() const;

    const std::shared_ptr<ApiState> state_;
    Request request_;
    const Respond respond_;
    const engine::TableName table_;
    const RowsOptions options_;
    const UploadFormat format_;
    ingest::BodyRows body_;                 // of texts
    std::vector<engine::RowFault> faults_;  // of this try
    std::uint64_t faulty_ = 0;
    std::uint64_t rows_ = 0;
    int tries_ = 0;
    std::unique_ptr<ingest::RequestKeys::Claim> claim_;  // of its Idempotency-Key, if it has one
    std::shared_ptr<ingest::Member> member_;             // written before the member has its fate
};

bool RowsRequest::claim_key() {
    constexpr std::size_t kKeyBytesMax = 255;
    const auto header = request_.headers["Idempotency-Key"];
    if (request_.headers.count("Idempotency-Key") == 0) return true;
    if (header.empty() || header.size() > kKeyBytesMax) {
        respond_(problem(status::bad_request, "an Idempotency-Key has between 1 and 255 bytes"));
        return false;
    }
    if (state_->keys == nullptr) {
        respond_(problem(status::not_implemented, "this box keeps no Idempotency-Keys",
                         "They lie in the box's own database, which its catalog's role may not create."));
        return false;
    }
    const auto type = request_.headers[field::content_type];
    auto verdict =
        state_->keys->claim({ingest::digest_of({request_.caller->user, request_.path, {header.data(), header.size()}}),
                             ingest::digest_of({request_.query, {type.data(), type.size()}, request_.body})});
    if (!verdict) {
        respond_(
            problem(QueryError{"57P03", "what was answered before cannot be looked up: " + verdict.error().message}));
        return false;
    }
    if (auto* claim = std::get_if<std::unique_ptr<ingest::RequestKeys::Claim>>(&*verdict)) {
        claim_ = std::move(*claim);
        return true;
    }
    if (const auto* answered = std::get_if<ingest::RequestKeys::Answered>(&*verdict)) {
        Response response;
        response.body = answered->answer + "\n";
        response.headers.emplace_back("Idempotency-Replayed", "true");
        respond_(std::move(response));
    } else if (std::get<ingest::RequestKeys::Refused>(*verdict) == ingest::RequestKeys::Refused::other_body) {
        respond_(problem(status::unprocessable_entity, "this Idempotency-Key was used for another request",
                         "A key belongs to one body; take a new one for new rows."));
    } else {
        respond_(problem(status::conflict, "a request with this Idempotency-Key is on its way",
                         "Try again: it is answered with the first one's answer."));
    }
    return false;
}

void RowsRequest::read() {
    if (!claim_key()) return;
    const auto encoding = request_.headers[field::content_encoding];
    auto plain = decode_content(std::move(request_.body), {encoding.data(), encoding.size()}, state_->body_bytes_max);
    if (auto* refused = std::get_if<Response>(&plain)) return respond(std::move(*refused));
    request_.body = std::get<std::string>(std::move(plain));
    if (!has_types()) {
        auto body = format_ == UploadFormat::csv    ? ingest::read_csv(request_.body)
                    : format_ == UploadFormat::json ? ingest::read_json(request_.body)
                                                    : Outcome<ingest::BodyRows>(ingest::read_ndjson(request_.body));
        if (!body) return respond(problem(body.error()));
        body_ = std::move(*body);
    }
    if (!options_.create && !options_.add_columns && !has_types()) request_.body = {};
    write();
}

Outcome<void> RowsRequest::run(Statement& statement, const std::string& sql) {
    auto parsed = statement.engine().parse(sql);
    if (!parsed) return parsed.error();
    auto done = statement.engine().run(std::move(*parsed));
    if (!done) return done.error();
    statement.own_made();
    return {};
}

// Creates the table, or adds the columns that it lacks, where that is asked for.
Outcome<void> RowsRequest::prepare_table(Statement& statement) {
    if (!options_.create && !options_.add_columns) return {};
    auto present = statement.engine().column_names(table_);
    if (!present) return present.error();
    const std::string name = quoted(table_.schema) + "." + quoted(table_.table);
    if (!*present && !options_.create) return {};  // taking the rows says what is wrong
    if (*present && !options_.add_columns) return {};
    auto columns = statement.engine().find_columns(format_, request_.body);
    if (!columns) return columns.error();
    if (!*present) {
        std::string list;
        for (const engine::FoundColumn& column : *columns)
            list += (list.empty() ? "" : ", ") + quoted(column.name) + " " + column.type;
        return run(statement, "CREATE TABLE IF NOT EXISTS " + name + " (" + list + ")");
    }
    for (const engine::FoundColumn& column : *columns) {
        const bool is_there = std::any_of((*present)->begin(), (*present)->end(), [&](const std::string& one) {
            return boost::beast::iequals(one, column.name);
        });
        if (is_there) continue;
        auto added = run(
            statement, "ALTER TABLE " + name + " ADD COLUMN IF NOT EXISTS " + quoted(column.name) + " " + column.type);
        if (!added) return added;
    }
    return {};
}

Outcome<engine::TakenRows> RowsRequest::take(Statement& statement) {
    if (auto prepared = prepare_table(statement); !prepared) return prepared.error();
    return has_types() ? statement.engine().take_file(table_, format_, request_.body, state_->body_bytes_max)
                       : statement.engine().take_rows(table_, body_.rows);
}

void RowsRequest::write() {
    ++tries_;
    auto statement = Statement::begin(*state_, request_);
    if (!statement) return respond(problem(statement.error()));
    auto taken = take(**statement);
    if (!taken) return respond(problem((*statement)->reason(taken.error())));
    statement->reset();
    faults_ = body_.faults;
    faults_.insert(faults_.end(), taken->faults.begin(), taken->faults.end());
    std::stable_sort(faults_.begin(), faults_.end(), [](const auto& a, const auto& b) { return a.place < b.place; });
    if (faults_.size() > engine::kFaultsMax) faults_.resize(engine::kFaultsMax);
    faulty_ = body_.faulty + taken->faulty;
    if (faulty_ > 0 && !options_.skips_faulty) return respond(refuse_faults());
    rows_ = taken->rows ? taken->rows->count() : 0;
    if (!taken->rows) return respond_written(report());
    join(std::move(*taken->rows));
}

void RowsRequest::join(engine::NewRows rows) {
    std::vector<engine::NewRows> joining;
    joining.push_back(std::move(rows));
    if (claim_) claim_->set_in_doubt(true);
    // The answer may come before join() has returned.
    auto joined = std::make_shared<std::promise<std::shared_ptr<ingest::Member>>>();
    auto member = joined->get_future().share();
    auto answered = [self = shared_from_this(), member] {
        self->member_ = member.get();
        self->on_fate();
    };
    auto made = state_->services.gatherer->join(joining, std::move(answered),
                                                {.note = claim_ ? claim_->note(report()) : "", .wants_snapshot = true});
    if (!made) {
        if (claim_) claim_->set_in_doubt(false);
        return respond(problem(QueryError{"53400", "too many rows wait to be written already"}));
    }
    joined->set_value(std::move(made));
}

// On the committer's thread, which must not block; a key's end does.
void RowsRequest::on_fate() {
    if (!claim_) return settle();
    state_->door.statements().submit([self = shared_from_this()] { self->settle(); });
}

void RowsRequest::settle() {
    const ingest::Fate fate = member_->fate();
    if (fate == ingest::Fate::committed) return respond_committed();
    // Whether the rows of a commit that was cut off are written the next request with the key will find out.
    const bool is_known = fate != ingest::Fate::failed || member_->error().sqlstate != "08007";
    if (claim_ && is_known) claim_->set_in_doubt(false);
    switch (fate) {
        case ingest::Fate::stale:
            if (tries_ < kTriesMax)
                return run_as_statement(*state_, respond_, [self = shared_from_this()] { self->write(); });
            return respond(problem(QueryError{"40001", "the table changes faster than its rows are made"}));
        case ingest::Fate::failed:
            return respond(problem(member_->error()));
        case ingest::Fate::committed:
        case ingest::Fate::refused:
        case ingest::Fate::withdrawn:
        case ingest::Fate::waiting:
            return respond(problem(engine::interruption()));
    }
}

void RowsRequest::respond_committed() {
    json::object answer = report();
    if (member_->snapshot() != 0) answer["snapshot"] = member_->snapshot();
    respond_written(answer);
}

void RowsRequest::respond_written(const json::object& answer) {
    if (claim_) claim_->record(answer);
    Response response;
    response.body = json::serialize(answer) + "\n";
    respond(std::move(response));
}

void RowsRequest::respond(Response response) {
    claim_.reset();
    respond_(std::move(response));
}

json::object RowsRequest::report() const {
    json::object object{{"rows", rows_}};
    if (options_.skips_faulty) {
        object["skipped"] = faulty_;
        object["faults"] = faults_of(faults_);
    }
    return object;
}

Response RowsRequest::refuse_faults() const {
    QueryError error{faults_.front().error.sqlstate,
                     std::to_string(faulty_) + (faulty_ == 1 ? " row is" : " rows are") +
                         " faulty, and nothing is written: row " + std::to_string(faults_.front().place) + ": " +
                         faults_.front().error.message};
    error.hint = "Mend the rows, or write the others with ?on_error=skip.";
    // Whatever is wrong with them, it is the rows that are not fit to be processed.
    Response response = problem(error, {{"faulty", faulty_}, {"faults", faults_of(faults_)}});
    response.status = status::unprocessable_entity;
    return response;
}

}  // namespace

void answer_rows(const std::shared_ptr<ApiState>& state, Request request, Respond respond) {
    auto table = table_of(request.path);
    if (!table) {
        return respond(problem(status::not_found, "there is nothing at " + request.path,
                               "Rows go to /v1/tables/SCHEMA.TABLE/rows."));
    }
    const auto options = options_of(request.query);
    if (!options) {
        Response refused = problem(options.error());
        refused.status = status::bad_request;
        return respond(std::move(refused));
    }
    const auto type = request.headers[field::content_type];
    const auto format = format_of(media_type({type.data(), type.size()}));
    if (!format) {
        return respond(problem(status::unsupported_media_type,
                               type.empty() ? "the request has no Content-Type"
                                            : "rows do not come as " + std::string(type.data(), type.size()),
                               "Send application/x-ndjson, application/json, text/csv, "
                               "application/vnd.apache.parquet or application/vnd.apache.arrow.stream."));
    }
    std::make_shared<RowsRequest>(state, std::move(request), std::move(respond), std::move(*table), *options, *format)
        ->start();
}

}  // namespace boathouse::http
