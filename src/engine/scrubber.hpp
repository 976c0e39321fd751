// Takes the box's secrets out of texts that others wrote: DuckDB's errors, PostgreSQL's, a store's replies.
//
// Made once from the settings and then only read, from any thread. A secret's value becomes "***"; of an access key id,
// which people need to tell keys apart, the last four characters stay. What follows "password=" or "secret=" goes too,
// whoever's it is.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "catalog/connection.hpp"
#include "config/settings.hpp"

namespace boathouse::engine {

class Scrubber {
  public:
    Scrubber(const config::Settings& settings, const catalog::Endpoint& catalog);

    std::string operator()(std::string text) const;
    // For SQL clients, who have no business with where the box keeps its files: paths begin below the data directory.
    std::string for_client(const std::string& text) const;

  private:
    std::vector<std::pair<std::string, std::string>> replacements_;  // what -> by what, longest first
    std::vector<std::string> directories_;                           // with a slash at the end
};

}  // namespace boathouse::engine
