#include "http/consumer_request.hpp"

#include <boost/json.hpp>

#include "base/log.hpp"
#include "feed/consumers.hpp"
#include "http/change_page.hpp"
#include "http/problem.hpp"

namespace boathouse::http {
namespace {

namespace json = boost::json;
using boost::beast::http::status;
using boost::beast::http::verb;
using engine::QueryError;

constexpr std::string_view kBegin = "/v1/consumers/";

Response no_consumers() {
    return problem(status::not_implemented, "this box keeps no consumers",
                   "They lie in the box's own database, which its catalog's role may not create.");
}

Response no_such(const std::string& name) {
    return problem(status::not_found, "there is no consumer \"" + name + "\"",
                   "A consumer is made by its first request: …/changes?consumer=" + name);
}

Response foreign(const std::string& name) {
    return problem(QueryError{"42501", "the consumer \"" + name + "\" is another user's"});
}

json::object describe(const feed::Consumer& consumer, long long newest) {
    return {{"name", consumer.name},
            {"table", consumer.schema + "." + consumer.table},
            {"position", feed::to_text(consumer.position)},
            {"lag", std::max(0LL, newest + 1 - consumer.position.snapshot)},
            {"acknowledged_at", consumer.acknowledged_at}};
}

Response with_body(const json::value& value) {
    Response response;
    response.headers.emplace_back("Cache-Control", "no-store");
    response.body = json::serialize(value) + "\n";
    return response;
}

// One that is the caller's, or why not.
std::variant<feed::Consumer, Response> find_own(ApiState& state, const Request& request, const std::string& name) {
    if (!state.feed.box) return no_consumers();
    auto found = state.feed.box->ask([&](catalog::Connection& box) { return feed::find_consumer(box, name); });
    if (!found) return catalog_problem(found.error());
    if (!*found) return no_such(name);
    if ((*found)->owner != request.caller->user) return foreign(name);
    return std::move(**found);
}

std::variant<feed::Position, Response> position_in(const std::string& body) {
    boost::system::error_code error;
    const auto value = json::parse(body, error);
    const auto* object = error ? nullptr : value.if_object();
    const auto* text = object != nullptr ? object->if_contains("position") : nullptr;
    if (text != nullptr && text->is_string() && object->size() == 1) {
        const auto& position = text->get_string();
        if (const auto parsed = feed::parse_position({position.data(), position.size()})) return *parsed;
    }
    return problem(status::bad_request, "the body is not an object with one member, \"position\", a cursor",
                   R"(Send {"position": "17.4"}.)");
}

Response acknowledge(ApiState& state, const Request& request, const std::string& name) {
    const auto position = position_in(request.body);
    if (const auto* refused = std::get_if<Response>(&position)) return *refused;
    const auto newest = state.feed.watch.newest();
    if (!newest) return catalog_problem(newest.error());
    if (std::get<feed::Position>(position) > feed::after(*newest))
        return catalog_problem(feed::in_the_future(std::get<feed::Position>(position), *newest));
    auto done = state.feed.box->ask(
        [&](catalog::Connection& box) { return feed::acknowledge(box, name, std::get<feed::Position>(position)); });
    if (!done) return catalog_problem(done.error());
    auto now = find_own(state, request, name);
    if (const auto* refused = std::get_if<Response>(&now)) return *refused;
    return with_body(describe(std::get<feed::Consumer>(now), *newest));
}

Response drop(ApiState& state, const std::string& name) {
    auto done = state.feed.box->ask([&](catalog::Connection& box) { return feed::drop_consumer(box, name); });
    if (!done) return done.error().kind == ErrorKind::not_found ? no_such(name) : catalog_problem(done.error());
    return with_body(json::object{{"dropped", name}});
}

Response list(ApiState& state, const Request& request) {
    if (!state.feed.box) return no_consumers();
    const auto newest = state.feed.watch.newest();
    if (!newest) return catalog_problem(newest.error());
    const auto consumers =
        state.feed.box->ask([&](catalog::Connection& box) { return feed::read_consumers(box, request.caller->user); });
    if (!consumers) return catalog_problem(consumers.error());
    json::array array;
    for (const feed::Consumer& consumer : *consumers) array.push_back(describe(consumer, *newest));
    return with_body(json::object{{"consumers", std::move(array)}});
}

Response answer(ApiState& state, const Request& request) {
    const std::string name = request.path.substr(kBegin.size());
    const auto own = find_own(state, request, name);
    if (const auto* refused = std::get_if<Response>(&own)) return *refused;
    return request.method == verb::delete_ ? drop(state, name) : acknowledge(state, request, name);
}

}  // namespace

std::variant<feed::Position, Response> take_up_consumer(ApiState& state, const gateway::Caller& caller,
                                                        const std::string& name, const feed::TableId& table,
                                                        const std::optional<feed::Position>& since) {
    if (!state.feed.box) return no_consumers();
    feed::Consumer consumer{
        .name = name, .owner = caller.user, .table_number = table.number, .schema = table.schema, .table = table.table};
    if (since) {
        consumer.position = *since;
    } else {
        const auto newest = state.feed.watch.newest();
        if (!newest) return catalog_problem(newest.error());
        consumer.position = feed::after(*newest);
    }
    const auto known = state.feed.box->ask([&](catalog::Connection& box) -> Result<feed::Consumer> {
        if (auto made = feed::make_consumer(box, consumer); !made) return made.error();
        auto found = feed::find_consumer(box, name);
        if (!found) return found.error();
        return found->value_or(consumer);
    });
    if (!known) return catalog_problem(known.error());
    if (known->owner != caller.user) return foreign(name);
    if (known->table_number != table.number) {
        return problem(status::conflict,
                       fmt::format("the consumer \"{}\" reads another table: {}.{}", name, known->schema, known->table),
                       "Take another name, or drop the consumer: DELETE /v1/consumers/" + name);
    }
    if (!since) return known->position;
    const auto done =
        state.feed.box->ask([&](catalog::Connection& box) { return feed::acknowledge(box, name, *since); });
    if (!done) return catalog_problem(done.error());
    return *since;
}

void answer_consumers(const std::shared_ptr<ApiState>& state, const Request& request, const Respond& respond) {
    run_as_statement(*state, respond, [state, request, respond] { respond(list(*state, request)); });
}

void answer_consumer(const std::shared_ptr<ApiState>& state, const Request& request, const Respond& respond) {
    if (request.path.size() <= kBegin.size())
        return respond(problem(status::not_found, "a consumer's name follows /v1/consumers/"));
    run_as_statement(*state, respond, [state, request, respond] { respond(answer(*state, request)); });
}

}  // namespace boathouse::http
