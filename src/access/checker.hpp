// Whether a role may do what a statement needs: PostgreSQL's privileges on the mirror's objects, remembered for as long
// as PostgreSQL's snapshot says that nothing can have changed (facts.hpp).
//
// One Checker a box, outlives its Gates and the sessions. Any thread; blocks on the catalog. Each check asks PostgreSQL
// one small question, which is on its way while the statement is bound; only when anything at all was committed since
// the last answer are the facts that the statement needs read again. Bounded: kReadersMax connections, kFactsMax facts
// of each kind. An answer that was asked for after a statement arrived is good for it, so what is revoked before a
// statement arrives is revoked for it.
//
// A kept answer (src/cache) keeps its Needs with it. Who is about to give one has just asked the lake's database for
// more, PostgreSQL's snapshot with it, and spends no question here while that is still the one of the last check.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "access/facts.hpp"
#include "access/gate.hpp"
#include "access/needs.hpp"
#include "catalog/connection.hpp"

namespace boathouse::access {

inline constexpr std::size_t kReadersMax = 8;
inline constexpr std::size_t kFactsMax = 10'000;

struct CheckerOptions {
    catalog::Endpoint mirror;          // as boathouse_mirror
    catalog::Endpoint lake;            // as the engine
    std::function<Status()> catch_up;  // brings the mirror to the newest version of the lake
    std::function<Status()> remake;    // the same, for a mirror that may be gone
};

struct Judgement {
    std::optional<Refusal> refusal;
    std::string snapshot;  // pg_current_snapshot(); empty: something was committed while the facts were read
};

struct Counters {
    std::uint64_t checks = 0;          // of statements that were planned
    std::chrono::nanoseconds cost{0};  // of all of them together
};

class Checker {
  public:
    explicit Checker(CheckerOptions options) : options_(std::move(options)) {}
    Checker(const Checker&) = delete;
    Checker& operator=(const Checker&) = delete;

    // Whether `role` may, now, do what `needs` says. nullopt: it may.
    std::optional<Refusal> check(const std::string& role, const Needs& needs);
    // The same, where `snapshot` is pg_current_snapshot() of any of the server's databases, asked for after the
    // statement came.
    std::optional<Refusal> check_in(const std::string& snapshot, const std::string& role, const Needs& needs);

    // Whether that is so by what is known already, in the snapshot that was asked for last: nobody is asked, and false
    // may mean that somebody would have to be.
    bool is_known_in(const std::string& snapshot, const std::string& role, const Needs& needs);
    // The same as check(), by facts that are read now, whatever is remembered, and in which snapshot of PostgreSQL's it
    // is so: for who asks on behalf of many, and can tell for how long the answer is good.
    Judgement check_anew(const std::string& role, const Needs& needs);

    // Since the start.
    Counters counters() const;

  private:
    friend class RoleGate;
    class Judge;
    using Name = std::pair<std::string, std::string>;

    // The mirror may have to be made first, and a lost connection opened again.
    std::optional<Refusal> check_on(std::unique_ptr<FactReader> reader, const std::string& role, const Needs& needs);
    // `reader` may be null, and is then borrowed when something has to be read.
    std::optional<Refusal> judge(std::unique_ptr<FactReader> reader, const Present& present, const std::string& role,
                                 const Needs& needs);
    Result<Present> present_on(std::unique_ptr<FactReader>& reader, const Needs& needs);

    Result<std::unique_ptr<FactReader>> borrow();
    // Null where none lies ready; then the question is asked when its answer is needed.
    std::unique_ptr<FactReader> borrow_idle();
    void give_back(std::unique_ptr<FactReader> reader, bool usable);
    void close_idle();

    // What is known of an object, shared by all who judge by it; null where there is no such object.
    template <typename Facts>
    using Known = std::shared_ptr<const Facts>;

    // From `known` if it was read in the present snapshot, else read and remembered.
    template <typename Facts, typename Key, typename Read>
    Result<Known<Facts>> remembered(std::map<Key, Known<Facts>>& known, const Key& key, const Present& present,
                                    Read read);
    // The numbers in the lake of the relations that have, at a version or ever, had a name.
    Result<std::vector<long long>> numbers_of(const Name& name, std::optional<long long> version);

    const CheckerOptions options_;

    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<FactReader>> idle_;   // under mutex_
    std::size_t on_loan_ = 0;                         // under mutex_
    std::optional<Present> present_;                  // under mutex_: as it was asked for last
    std::string snapshot_;                            // under mutex_: in which all that is known was read
    std::map<std::string, Known<RoleFacts>> roles_;   // under mutex_
    std::map<Name, Known<RelationFacts>> relations_;  // under mutex_

    std::mutex lake_mutex_;
    std::optional<catalog::Connection> lake_;  // under lake_mutex_

    std::atomic<std::uint64_t> checks_ = 0;
    std::atomic<std::uint64_t> cost_ns_ = 0;
};

// One session's.
class RoleGate final : public Gate {
  public:
    RoleGate(Checker& checker, std::string role) : checker_(checker), role_(std::move(role)) {}
    ~RoleGate() override;
    RoleGate(const RoleGate&) = delete;
    RoleGate& operator=(const RoleGate&) = delete;

    void expect() override;
    void forget() override;
    std::optional<Refusal> check(const Needs& needs) override;
    void count(std::chrono::nanoseconds cost) override;
    // As Checker::check_in().
    std::optional<Refusal> check_in(const std::string& snapshot, const Needs& needs) {
        return checker_.check_in(snapshot, role_, needs);
    }
    // As Checker::is_known_in().
    bool is_known_in(const std::string& snapshot, const Needs& needs) {
        return checker_.is_known_in(snapshot, role_, needs);
    }

  private:
    Checker& checker_;
    const std::string role_;
    std::unique_ptr<FactReader> asked_;  // the question is on its way there
};

}  // namespace boathouse::access
