// POST /v1/sql: one statement, its answer in the form that Accept asks for.
//
// The answer lies complete in a file before its first byte is sent, so that an error in the last row is still a status
// and not a torn body.
#include <boost/json.hpp>

#include "gateway/script.hpp"
#include "gateway/statement.hpp"
#include "http/api.hpp"
#include "http/content_encoding.hpp"
#include "http/problem.hpp"
#include "pgwire/utf8.hpp"

namespace boathouse::http {

namespace {

using boost::beast::http::field;
using boost::beast::http::status;
using engine::FileFormat;
using engine::QueryError;

struct Form {
    std::string_view type;
    FileFormat format;
    std::string_view sent_as;
};
constexpr Form kForms[] = {
    {"application/json", FileFormat::json, "application/json"},
    {"application/x-ndjson", FileFormat::ndjson, "application/x-ndjson"},
    {"text/csv", FileFormat::csv, "text/csv; charset=utf-8; header=present"},
    {"application/vnd.apache.parquet", FileFormat::parquet, "application/vnd.apache.parquet"},
    {"application/vnd.apache.arrow.stream", FileFormat::arrow, "application/vnd.apache.arrow.stream"},
};

// The first of the types in Accept that is known; nullptr: none is.
const Form* choose_form(std::string_view accept) {
    if (accept.empty()) return &kForms[0];
    for (std::size_t at = 0; at <= accept.size();) {
        const std::size_t comma = std::min(accept.find(',', at), accept.size());
        const std::string type = media_type(accept.substr(at, comma - at));
        at = comma + 1;
        if (type == "*/*" || type == "application/*") return &kForms[0];
        for (const Form& form : kForms) {
            if (type == form.type) return &form;
        }
    }
    return nullptr;
}

std::string_view header(const Request& request, field name) {
    const auto value = request.headers[name];
    return {value.data(), value.size()};
}

// The statement in the body; a problem if there is none.
std::variant<std::string, Response> statement_of(std::string body, const std::string& type) {
    if (type == "application/sql") return body;
    if (type != "application/json") {
        return problem(status::unsupported_media_type,
                       type.empty() ? "the request has no Content-Type" : "a statement does not come as " + type,
                       "Send it as application/sql, or as {\"sql\": \"…\"} in application/json.");
    }
    boost::system::error_code error;
    const auto value = boost::json::parse(body, error);
    const auto* object = error ? nullptr : value.if_object();
    const auto* sql = object != nullptr ? object->if_contains("sql") : nullptr;
    if (sql == nullptr || !sql->is_string() || object->size() != 1) {
        return problem(status::bad_request, "the body is not an object with one member, \"sql\"",
                       "Send {\"sql\": \"SELECT …\"}.");
    }
    return std::string(sql->get_string().c_str(), sql->get_string().size());
}

// Why the text is not one statement that stands by itself; nullopt: it is.
std::optional<QueryError> refuse_text(const std::string& text) {
    if (const std::size_t at = pgwire::find_invalid_utf8(text); at != std::string::npos)
        return QueryError{"22021", pgwire::invalid_utf8_message(text, at)};
    const auto parts = gateway::split_script(text);
    if (parts.empty()) return QueryError{"42601", "the statement is empty"};
    if (parts.size() > 1) return QueryError{"42601", "a request takes one statement, this is several"};
    if (std::holds_alternative<gateway::EngineStatement>(gateway::classify(parts[0].text))) return std::nullopt;
    QueryError error{"0A000", "this statement is for a session, and a request has none"};
    error.hint = "BEGIN, SET, PREPARE, COPY and their kin are for the SQL door.";
    return error;
}

Response response_of(engine::AnswerFile answer, const Form& form) {
    Response response;
    response.headers.emplace_back("Cache-Control", "no-store");
    if (answer.path.empty()) {
        response.body = boost::json::serialize(boost::json::object{{"command", answer.tag}}) + "\n";
        return response;
    }
    response.content_type = std::string(form.sent_as);
    response.file = std::move(answer.path);
    response.keeps = std::move(answer.keeps);
    return response;
}

Response run(ApiState& state, const Request& request, const std::string& text, const Form& form) {
    auto statement = Statement::begin(state, request);
    if (!statement) return problem(statement.error());
    auto parsed = (*statement)->engine().parse(text);
    if (!parsed) return problem(parsed.error());
    auto answer = (*statement)->engine().run_to_file(std::move(*parsed), form.format);
    if (!answer) return problem((*statement)->reason(answer.error()));
    (*statement)->own_made();
    return response_of(std::move(*answer), form);
}

}  // namespace

void answer_sql(const std::shared_ptr<ApiState>& state, Request request, const Respond& respond) {
    const Form* form = choose_form(header(request, field::accept));
    if (form == nullptr) {
        return respond(problem(status::not_acceptable, "no answer is made in the form that Accept asks for",
                               "Known are application/json, application/x-ndjson, text/csv, "
                               "application/vnd.apache.parquet and application/vnd.apache.arrow.stream."));
    }
    run_as_statement(*state, respond, [state, request = std::move(request), respond, form] {
        auto body = decode_content(request.body, header(request, field::content_encoding), state->body_bytes_max);
        if (auto* refused = std::get_if<Response>(&body)) return respond(std::move(*refused));
        auto text =
            statement_of(std::get<std::string>(std::move(body)), media_type(header(request, field::content_type)));
        if (auto* refused = std::get_if<Response>(&text)) return respond(std::move(*refused));
        const auto& sql = std::get<std::string>(text);
        if (const auto refused = refuse_text(sql)) return respond(problem(*refused));
        respond(run(*state, request, sql, *form));
    });
}

}  // namespace boathouse::http
