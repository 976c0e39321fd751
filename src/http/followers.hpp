// How many requests follow changes at once, waiting or streaming: of all users, and of one.
//
// Any thread. A place is held as long as its pointer lives; it outlives what it was taken from if it has to.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace boathouse::http {

class Followers {
  public:
    static constexpr std::size_t kMax = 256;
    static constexpr std::size_t kOfOneUserMax = 64;

    // Null: there is none.
    std::shared_ptr<void> take_place(const std::string& user);
    std::size_t count() const;

  private:
    class Place;
    struct Places {
        std::mutex mutex;
        std::map<std::string, std::size_t> by_user;  // under mutex
        std::size_t all = 0;                         // under mutex
    };
    const std::shared_ptr<Places> places_ = std::make_shared<Places>();  // shared with those who have one
};

}  // namespace boathouse::http
