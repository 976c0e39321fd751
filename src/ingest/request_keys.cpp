#include "ingest/request_keys.hpp"

#include <openssl/evp.h>

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/log.hpp"

namespace boathouse::ingest {

namespace json = boost::json;

namespace {

// After so many are kept, those of yesterday are deleted.
constexpr std::uint64_t kKeptBetweenCleanings = 10'000;

constexpr const char* kMake =
    "CREATE SCHEMA IF NOT EXISTS ingest;"
    "CREATE TABLE IF NOT EXISTS ingest.answers ("
    " key text PRIMARY KEY, body text NOT NULL, answer text NOT NULL,"
    " made timestamptz NOT NULL DEFAULT pg_catalog.now());"
    "CREATE INDEX IF NOT EXISTS answers_made ON ingest.answers (made)";
constexpr const char* kClean = "DELETE FROM ingest.answers WHERE made < pg_catalog.now() - interval '1 day'";
constexpr const char* kFind =
    "SELECT body, answer FROM ingest.answers WHERE key = $1 AND made > pg_catalog.now() - interval '1 day'";
constexpr const char* kKeep =
    "INSERT INTO ingest.answers (key, body, answer) VALUES ($1, $2, $3) ON CONFLICT (key) DO UPDATE"
    " SET body = excluded.body, answer = excluded.answer, made = excluded.made"
    " WHERE ingest.answers.made < pg_catalog.now() - interval '1 day'";
// What the box has written begins like this (Claim::note).
constexpr const char* kNotes =
    "SELECT s.snapshot_id, c.commit_extra_info FROM public.ducklake_snapshot s"
    " JOIN public.ducklake_snapshot_changes c ON c.snapshot_id = s.snapshot_id"
    " WHERE s.snapshot_time > pg_catalog.now() - interval '1 day'"
    " AND pg_catalog.starts_with(c.commit_extra_info, '[{\"boathouse_key\":')";

std::string text_of(const json::object& object, const char* name) {
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->get_string().c_str()) : std::string();
}

}  // namespace

std::string digest_of(std::initializer_list<std::string_view> parts) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
    for (const std::string_view part : parts) {
        const std::string length = std::to_string(part.size()) + ":";  // so that no two lists read the same
        EVP_DigestUpdate(context.get(), length.data(), length.size());
        EVP_DigestUpdate(context.get(), part.data(), part.size());
    }
    EVP_DigestFinal_ex(context.get(), digest.data(), &size);
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
        text += kDigits[digest[i] >> 4];
        text += kDigits[digest[i] & 15];
    }
    return text;
}

Result<std::unique_ptr<RequestKeys>> RequestKeys::open(Endpoints endpoints) {
    std::unique_ptr<RequestKeys> keys(new RequestKeys(std::move(endpoints)));
    const std::lock_guard lock(keys->mutex_);
    auto connection = catalog::Connection::open(keys->endpoints_.box);
    if (!connection) return connection.error();
    keys->connection_.emplace(std::move(*connection));
    if (auto made = keys->connection_->execute(kMake); !made) return made.error();
    if (auto cleaned = keys->connection_->execute(kClean); !cleaned) return cleaned.error();
    if (auto recovered = keys->recover(); !recovered) return recovered.error();
    return keys;
}

// REQUIRES: mutex_ is held. A connection that lay idle may have been closed by the catalog's restart: one more try.
Result<catalog::Rows> RequestKeys::ask(const std::string& sql,
                                       const std::vector<std::optional<std::string>>& parameters) {
    for (bool was_open = connection_.has_value();; was_open = false) {
        if (!connection_) {
            auto opened = catalog::Connection::open(endpoints_.box);
            if (!opened) return opened.error();
            connection_.emplace(std::move(*opened));
        }
        auto rows = connection_->query(sql, parameters);
        if (rows) return rows;
        connection_.reset();
        if (!was_open) return rows;
    }
}

// REQUIRES: mutex_ is held. Records what was committed in the last day and is not recorded.
Status RequestKeys::recover() {
    auto lake = catalog::Connection::open(endpoints_.lake);
    if (!lake) return lake.error();
    const auto snapshots = lake->query(kNotes);
    if (!snapshots) return snapshots.error();
    for (const catalog::Row& row : *snapshots) {
        boost::system::error_code error;
        const json::value notes = json::parse(row[1].value_or(""), error);
        if (error || !notes.is_array()) continue;  // somebody else's after all
        for (const json::value& note : notes.get_array()) {
            const auto* object = note.if_object();
            const auto* answer = object != nullptr ? object->if_contains("answer") : nullptr;
            if (answer == nullptr || !answer->is_object()) continue;
            json::object whole = answer->get_object();
            whole["snapshot"] = std::stoll(row[0].value_or("0"));
            const RequestKey key{text_of(*object, "boathouse_key"), text_of(*object, "body")};
            if (auto kept = keep(key, json::serialize(whole)); !kept) return kept;
        }
    }
    in_doubt_ = false;
    return {};
}

// REQUIRES: mutex_ is held.
Status RequestKeys::keep(const RequestKey& key, const std::string& answer) {
    if (auto kept = ask(kKeep, {key.key, key.body, answer}); !kept) return kept.error();
    if (++kept_ < kKeptBetweenCleanings) return {};
    kept_ = 0;
    if (auto cleaned = ask(kClean); !cleaned) return cleaned.error();
    return {};
}

Result<std::optional<RequestKeys::Verdict>> RequestKeys::look(const RequestKey& key) {
    const std::lock_guard lock(mutex_);
    if (in_doubt_) {
        if (auto recovered = recover(); !recovered) return recovered.error();
    }
    const auto rows = ask(kFind, {key.key});
    if (!rows) return rows.error();
    if (rows->empty()) return std::optional<Verdict>();
    if (rows->front()[0] != key.body) return std::optional<Verdict>(Refused::other_body);
    return std::optional<Verdict>(Answered{rows->front()[1].value_or("")});
}

Result<RequestKeys::Verdict> RequestKeys::claim(const RequestKey& key) {
    {
        const std::lock_guard lock(claims_mutex_);
        if (!claimed_.insert(key.key).second) return Verdict(Refused::in_flight);
    }
    // From here on the key is ours: who had it before has recorded its answer, or has none.
    auto claim = std::make_unique<Claim>(*this, key);
    auto found = look(key);
    if (!found) return found.error();
    if (*found) return std::move(**found);
    return Verdict(std::move(claim));
}

RequestKeys::Claim::~Claim() {
    const std::lock_guard lock(keys_.claims_mutex_);
    keys_.claimed_.erase(key_.key);
}

std::string RequestKeys::Claim::note(const json::object& answer) const {
    return json::serialize(json::object{{"boathouse_key", key_.key}, {"body", key_.body}, {"answer", answer}});
}

void RequestKeys::Claim::record(const json::object& answer) {
    const std::lock_guard lock(keys_.mutex_);
    if (auto kept = keys_.keep(key_, json::serialize(answer)); !kept) {
        log_info("ingest", "an answer is not recorded yet: {}", kept.error().message);
        keys_.in_doubt_ = true;
    }
}

void RequestKeys::Claim::doubt() {
    const std::lock_guard lock(keys_.mutex_);
    keys_.in_doubt_ = true;
}

}  // namespace boathouse::ingest
