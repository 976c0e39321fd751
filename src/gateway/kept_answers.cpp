// Answers that are kept: looked for before a statement is read, recorded when it has run.
//
// Only of statements that stand alone, outside a transaction block: within one, a statement may see what nobody else
// does.
#include <algorithm>
#include <array>
#include <utility>

#include "cache/kept_rows.hpp"
#include "gateway/script.hpp"
#include "gateway/session.hpp"

namespace boathouse::gateway {

using pgwire::Frame;

namespace {

// Beyond, a statement is not one that is asked again and again.
constexpr std::size_t kTextBytesMax = std::size_t{16} * 1024;
constexpr std::size_t kParameterBytesMax = std::size_t{16} * 1024;

bool may_be_query(std::string_view text) {
    static constexpr std::array<std::string_view, 6> kWords{"select", "with", "values", "from", "table", ""};
    return std::find(kWords.begin(), kWords.end(), first_word(text)) != kWords.end();
}

// With its length, so that no two lists of parts make the same key.
void add_part(std::string& key, std::string_view part) {
    key += std::to_string(part.size());
    key += ':';
    key += part;
}

void add_formats(std::string& key, const std::vector<std::int16_t>& formats) {
    for (const std::int16_t format : formats) key += format == 0 ? 't' : 'b';
    key += ';';
}

}  // namespace

std::optional<std::string> Session::answer_key(std::string_view text, const Portal* portal,
                                               const std::vector<std::uint32_t>& types) const {
    std::optional<std::string> key = description_key(text, types);
    if (!key || !portal) return key;
    add_formats(*key, portal->result_formats);
    add_formats(*key, portal->parameter_formats);
    for (const auto& parameter : portal->parameters) {
        if (parameter) {
            add_part(*key, *parameter);
        } else {
            *key += '-';
        }
    }
    if (key->size() > text.size() + kParameterBytesMax) return std::nullopt;
    return key;
}

std::optional<std::string> Session::description_key(std::string_view text,
                                                    const std::vector<std::uint32_t>& types) const {
    const bool stands_alone = transaction_ == Transaction::none && gathered_.empty();
    if (services_.answers == nullptr || !stands_alone || text.size() > kTextBytesMax) return std::nullopt;
    if (!settings_->switches().cache || (engine_ && engine_->has_temporary_relations())) return std::nullopt;
    if (text.empty() || !may_be_query(text)) return std::nullopt;
    std::string key;
    add_part(key, text);
    add_part(key, settings_->role());
    add_part(key, settings_->shaping_answers());
    for (const std::uint32_t type : types) key += std::to_string(type) + ',';
    key += ';';
    return key;
}

// Of one statement by itself (way_of()).
std::optional<std::string> Session::answer_key(const std::deque<Frame>& messages) const {
    if (messages[0].type == 'Q') {
        const auto text = pgwire::decode_query(messages[0]);
        if (!text || text->size() > kTextBytesMax || !may_be_query(*text)) return std::nullopt;
        const std::vector<ScriptPart> parts = split_script(*text);
        return parts.size() == 1 ? answer_key(parts[0].text) : std::nullopt;
    }
    if (messages[0].body.size() > kParameterBytesMax) return std::nullopt;
    const auto message = pgwire::decode_bind(messages[0]);
    if (!message) return std::nullopt;
    const auto statement = statements_.find(std::string(message->statement));
    if (!statement || (*statement)->relayed || !std::holds_alternative<EngineStatement>((*statement)->statement))
        return std::nullopt;
    Portal portal;
    portal.parameter_formats = message->parameter_formats;
    portal.result_formats = message->result_formats;
    portal.parameters.assign(message->parameters.begin(), message->parameters.end());
    return answer_key((*statement)->text, &portal, (*statement)->said_types);
}

bool Session::is_kept_in(const cache::LakeVersion& newest) {
    if (interrupted()) return false;
    auto answer = services_.answers->results.peek(found_->key);
    if (!answer || (answer->snapshot && *answer->snapshot != newest.snapshot)) return false;
    access::RoleGate* const gate = privileges();
    if (gate != nullptr && !gate->is_known_in(newest.catalog, answer->needs)) return false;
    found_->answer = std::move(answer);
    return true;
}

Session::Kept Session::look_for_kept(const std::optional<std::string>& key) {
    Kept kept;
    const auto found = std::exchange(found_, std::nullopt);
    if (!key || interrupted()) return kept;
    if (found && found->answer && found->key == *key) {
        services_.answers->results.count_hit(*key);
        kept.rows = cache::give(found->answer);
        return kept;
    }
    cache::Results& results = services_.answers->results;
    const cache::Results::Look look = results.look(*key);
    if (look.answer) return give_kept(look.answer, std::nullopt);
    if (!look.is_worth_keeping) return kept;
    // Where the catalog does not answer, the statement itself says so.
    const auto newest = services_.answers->newest.ask();
    if (!newest) return kept;
    cache::Results::Turn turn = results.join(*key, newest->snapshot);
    if (turn.flight) {
        results.wait(*turn.flight, [this] { return interrupted(); });
        turn = results.join(*key, newest->snapshot);
    }
    if (turn.answer) return give_kept(std::move(turn.answer), newest->catalog);
    kept.computation = std::move(turn.computation);
    return kept;
}

// Not to whom it is not for, or no longer: the statement then runs, and says why not.
Session::Kept Session::give_kept(std::shared_ptr<const cache::KeptAnswer> answer,
                                 const std::optional<std::string>& catalog_snapshot) {
    Kept kept;
    if (access::RoleGate* const gate = privileges()) {
        const auto refusal =
            catalog_snapshot ? gate->check_in(*catalog_snapshot, answer->needs) : gate->check(answer->needs);
        if (refusal) return kept;
    }
    kept.rows = cache::give(std::move(answer));
    return kept;
}

std::unique_ptr<engine::ResultStream> Session::keep(std::unique_ptr<engine::ResultStream> rows, bool has_notices,
                                                    Kept& kept) {
    auto computation = std::move(kept.computation);
    if (!computation) return rows;
    if (rows->repeats() == engine::Repeats::never || rows->columns().empty() || has_notices) {
        computation->give_up();
        return rows;
    }
    return cache::record(std::move(rows), std::move(computation), engine_->needs(), services_.answers->newest);
}

}  // namespace boathouse::gateway
