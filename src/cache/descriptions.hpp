// What preparing a statement told: the types of its parameters and its columns, good as long as the lake's schema
// stays.
//
// Drivers prepare a statement each time they run it, and planning one on the lake takes round trips to the catalog. One
// for all sessions, any thread, never blocks. Bounded: kDescriptionsMax; what was found last goes last. Kept from the
// second time on that a key is looked for.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pgwire/backend.hpp"

namespace boathouse::cache {

struct Description {
    std::vector<std::uint32_t> parameter_types;
    std::vector<pgwire::ColumnDescription> columns;
    long long schema = 0;  // version of the lake's schema
};

class Descriptions {
  public:
    static constexpr std::size_t kDescriptionsMax = 1024;

    struct Look {
        std::shared_ptr<const Description> description;
        bool is_repeated = false;  // looked for before
    };
    Look look(const std::string& key);
    void keep(const std::string& key, Description description);

  private:
    struct Entry {
        std::string key;
        std::shared_ptr<const Description> description;  // null: looked for only
    };
    std::mutex mutex_;                                                         // guards what follows
    std::list<Entry> entries_;                                                 // the one found last in front
    std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;  // the keys are the entries'
};

}  // namespace boathouse::cache
