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

// Several boxes may make it at once, and IF NOT EXISTS does not bear that: they take turns.
constexpr const char* kMake =
    "SELECT pg_catalog.pg_advisory_xact_lock(7089056989193793908);"
    "CREATE SCHEMA IF NOT EXISTS ingest;"
    "CREATE TABLE IF NOT EXISTS ingest.answers ("
    " key text PRIMARY KEY, body text NOT NULL, answer text NOT NULL,"
    " made timestamptz NOT NULL DEFAULT pg_catalog.now());"
    "CREATE INDEX IF NOT EXISTS answers_made ON ingest.answers (made);"
    "CREATE TABLE IF NOT EXISTS ingest.claims ("
    " key text PRIMARY KEY, made timestamptz NOT NULL DEFAULT pg_catalog.now())";
constexpr const char* kCleanAnswers = "DELETE FROM ingest.answers WHERE made < pg_catalog.now() - interval '1 day'";
constexpr const char* kCleanClaims = "DELETE FROM ingest.claims WHERE made < pg_catalog.now() - interval '1 day'";

// Prepared, by name. A key is a SHA-256 in hexadecimal digits; its first 64 bits name its lock.
struct Prepared {
    const char* name;
    const char* sql;
};
constexpr Prepared kLock{
    "lock",
    "SELECT pg_catalog.pg_try_advisory_lock((pg_catalog.concat('x', pg_catalog.left($1, 16))::bit(64))::bigint)"};
constexpr Prepared kUnlock{
    "unlock",
    "SELECT pg_catalog.pg_advisory_unlock((pg_catalog.concat('x', pg_catalog.left($1, 16))::bit(64))::bigint)"};
// After the lock, in a statement of its own: it sees what the lock's last holder has recorded.
constexpr Prepared kFind{
    "find", "SELECT body, answer FROM ingest.answers WHERE key = $1 AND made > pg_catalog.now() - interval '1 day'"};
constexpr Prepared kClaim{"claim",
                          "INSERT INTO ingest.claims (key) SELECT $1 WHERE NOT EXISTS"
                          " (SELECT FROM ingest.answers WHERE key = $1 AND made > pg_catalog.now() - interval '1 day')"
                          " ON CONFLICT (key) DO NOTHING RETURNING key"};
constexpr Prepared kForget{"forget", "DELETE FROM ingest.claims WHERE key = $1"};
constexpr Prepared kKeep{
    "keep",
    "INSERT INTO ingest.answers (key, body, answer) VALUES ($1, $2, $3) ON CONFLICT (key) DO UPDATE"
    " SET body = excluded.body, answer = excluded.answer, made = excluded.made"
    " WHERE ingest.answers.made < pg_catalog.now() - interval '1 day'"};

// What a box has written begins like this (Claim::note); of one key, or of all where it is empty.
constexpr const char* kNotes =
    "SELECT s.snapshot_id, c.commit_extra_info FROM public.ducklake_snapshot s"
    " JOIN public.ducklake_snapshot_changes c ON c.snapshot_id = s.snapshot_id"
    " WHERE s.snapshot_time > pg_catalog.now() - interval '1 day'"
    " AND pg_catalog.starts_with(c.commit_extra_info, '[{\"boathouse_key\":')"
    " AND pg_catalog.strpos(c.commit_extra_info, $1) > 0";

// A commit of a box that has died may still be under way in PostgreSQL: it ends before this lock is had, and no other
// begins. Readers go on.
constexpr const char* kHoldCommits =
    "BEGIN; SET LOCAL lock_timeout = '10s'; LOCK TABLE public.ducklake_snapshot IN SHARE ROW EXCLUSIVE MODE";

catalog::Step step(const Prepared& prepared, const std::vector<std::string>& parameters) {
    catalog::Step one{prepared.name};
    for (const std::string& parameter : parameters) one.parameters.push_back({parameter});
    return one;
}

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
    auto made = catalog::Connection::open(keys->endpoints_.box);
    if (!made) return made.error();
    for (const char* sql : {kMake, kCleanAnswers, kCleanClaims}) {
        if (auto done = made->execute(sql); !done) return done.error();
    }
    const std::lock_guard lock(keys->mutex_);
    if (auto connected = keys->connect(); !connected) return connected.error();
    if (auto recovered = keys->recover(""); !recovered) return recovered.error();
    keys->recovered_ = keys->connections_;
    return keys;
}

// REQUIRES: mutex_ is held.
Status RequestKeys::connect() {
    auto opened = catalog::Connection::open(endpoints_.box);
    if (!opened) return opened.error();
    // A crash that takes the newest rows closes every connection, and the notes are read again.
    if (auto set = opened->execute("SET synchronous_commit = off"); !set) return set;
    for (const Prepared& one : {kLock, kUnlock, kFind, kClaim, kForget, kKeep}) {
        if (auto prepared = opened->prepare(one.name, one.sql); !prepared) return prepared;
    }
    connection_.emplace(std::move(*opened));
    ++connections_;
    return {};
}

// REQUIRES: mutex_ is held. A connection that lay idle may have been closed by the catalog's restart: one more try.
Result<std::vector<catalog::Rows>> RequestKeys::run(const std::vector<catalog::Step>& steps) {
    for (bool was_open = connection_.has_value();; was_open = false) {
        if (!connection_) {
            if (auto connected = connect(); !connected) return connected.error();
        }
        auto rows = connection_->run(steps);
        if (rows) return rows;
        connection_.reset();
        if (!was_open) return rows;
    }
}

// REQUIRES: mutex_ is held. Records what was committed in the last day and is not recorded, of one key or of all ("").
Status RequestKeys::recover(const std::string& key) {
    auto lake = catalog::Connection::open(endpoints_.lake);
    if (!lake) return lake.error();
    if (auto held = lake->execute(kHoldCommits); !held) return held;
    const auto snapshots = lake->query(kNotes, {key});
    if (!snapshots) return snapshots.error();
    if (auto ended = lake->execute("COMMIT"); !ended) return ended;
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
            const RequestKey noted{text_of(*object, "boathouse_key"), text_of(*object, "body")};
            if (auto kept = keep(noted, json::serialize(whole)); !kept) return kept;
        }
    }
    return {};
}

// REQUIRES: mutex_ is held.
Status RequestKeys::keep(const RequestKey& key, const std::string& answer) {
    if (auto kept = run({step(kKeep, {key.key, key.body, answer})}); !kept) return kept.error();
    if (++kept_ < kKeptBetweenCleanings) return {};
    kept_ = 0;
    for (const char* sql : {kCleanAnswers, kCleanClaims}) {
        if (auto cleaned = connection_->execute(sql); !cleaned) return cleaned;
    }
    return {};
}

// REQUIRES: mutex_ is held.
Result<RequestKeys::Found> RequestKeys::lock_key(const std::string& key) {
    auto rows = run({step(kLock, {key}), step(kFind, {key}), step(kClaim, {key})});
    if (!rows) return rows.error();
    return Found{.is_locked = rows->at(0).at(0)[0] == "t",
                 .is_orphan = rows->at(1).empty() && rows->at(2).empty(),
                 .answers = std::move(rows->at(1))};
}

Result<std::optional<RequestKeys::Verdict>> RequestKeys::look(Claim& claim) {
    const std::lock_guard lock(mutex_);
    const RequestKey& key = claim.key_;
    auto found = lock_key(key.key);
    if (!found) return found.error();
    if (!found->is_locked) return std::optional<Verdict>(Refused::in_flight);
    const std::uint64_t connection = connections_;
    claim.locked_on_ = connection;
    if (recovered_ != connection || found->is_orphan) {
        claim.set_in_doubt(true);  // until it is known what became of the rows
        if (auto recovered = recover(recovered_ != connection ? "" : key.key); !recovered) return recovered.error();
        auto rows = run({step(kFind, {key.key})});
        if (!rows) return rows.error();
        if (connections_ != connection) return std::optional<Verdict>(Refused::in_flight);  // the lock is lost
        recovered_ = connection;
        claim.set_in_doubt(false);
        found->answers = std::move(rows->front());
    }
    if (found->answers.empty()) return std::optional<Verdict>();
    const catalog::Row& answered = found->answers.front();
    if (answered[0] != key.body) return std::optional<Verdict>(Refused::other_body);
    return std::optional<Verdict>(Answered{answered[1].value_or("")});
}

Result<RequestKeys::Verdict> RequestKeys::claim(const RequestKey& key) {
    {
        const std::lock_guard lock(claims_mutex_);
        if (!claimed_.insert(key.key).second) return Verdict(Refused::in_flight);
    }
    // From here on the key is ours: who had it before has recorded its answer, or has left its row.
    auto claim = std::make_unique<Claim>(*this, key);
    auto found = look(*claim);
    if (!found) return found.error();
    if (*found) return std::move(**found);
    return Verdict(std::move(claim));
}

// The lock goes last; with a lost connection it has gone already. What fails leaves the row, which a later claim
// understands.
void RequestKeys::release(const Claim& claim) {
    const std::lock_guard lock(mutex_);
    if (!connection_ || claim.locked_on_ != connections_) return;
    std::vector<catalog::Step> steps;
    if (!claim.in_doubt_) steps.push_back(step(kForget, {claim.key_.key}));
    steps.push_back(step(kUnlock, {claim.key_.key}));
    if (auto released = connection_->run(steps); !released) connection_.reset();
}

RequestKeys::Claim::~Claim() {
    keys_.release(*this);
    const std::lock_guard lock(keys_.claims_mutex_);
    keys_.claimed_.erase(key_.key);
}

std::string RequestKeys::Claim::note(const json::object& answer) const {
    return json::serialize(json::object{{"boathouse_key", key_.key}, {"body", key_.body}, {"answer", answer}});
}

void RequestKeys::Claim::record(const json::object& answer) {
    const std::lock_guard lock(keys_.mutex_);
    auto kept = keys_.keep(key_, json::serialize(answer));
    in_doubt_ = !kept;
    if (!kept) log_info("ingest", "an answer is not recorded yet: {}", kept.error().message);
}

}  // namespace boathouse::ingest
