// Plans of texts that a client sends again and again in the simple protocol: what connection pools ask before they hand
// a connection out, and what monitors ask every second. Parsing and planning such a statement costs three times what
// running it does.
//
// Belongs to one session, one thread at a time. Holds what is self-contained only
// (engine::Session::is_self_contained()) and is cleared whenever a setting changes, so that no plan ever is out of
// date. Bounded: kTextsMax of kTextBytesMax each; a text is planned on its second sight, so that an idle client that
// has asked once costs no plan. A plan must not outlive the engine's session.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/session.hpp"

namespace boathouse::gateway {

class RepeatedStatements {
  public:
    static constexpr std::size_t kTextsMax = 16;
    static constexpr std::size_t kTextBytesMax = 1024;

    // Null: none is kept.
    std::shared_ptr<engine::Prepared> find(std::string_view text) const;
    // Whether the text has been asked about before, and not too long ago.
    bool is_repeated(std::string_view text);
    // REQUIRES: is_repeated(text) was true just now.
    void keep(std::string_view text, std::shared_ptr<engine::Prepared> plan);
    void clear() { entries_.clear(); }

  private:
    struct Entry {
        std::string text;
        std::shared_ptr<engine::Prepared> plan;
    };
    std::vector<Entry> entries_;  // the latest last
};

}  // namespace boathouse::gateway
