#include "http/followers.hpp"

#include <utility>

namespace boathouse::http {

class Followers::Place {
  public:
    Place(std::shared_ptr<Places> places, std::string user) : places_(std::move(places)), user_(std::move(user)) {}
    ~Place() {
        const std::lock_guard lock(places_->mutex);
        --places_->all;
        if (--places_->by_user[user_] == 0) places_->by_user.erase(user_);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

  private:
    const std::shared_ptr<Places> places_;
    const std::string user_;
};

std::shared_ptr<void> Followers::take_place(const std::string& user) {
    const std::lock_guard lock(places_->mutex);
    const auto found = places_->by_user.find(user);
    if (places_->all >= kMax || (found != places_->by_user.end() && found->second >= kOfOneUserMax)) return nullptr;
    auto place = std::make_shared<Place>(places_, user);
    ++places_->by_user[user];
    ++places_->all;
    return place;
}

std::size_t Followers::count() const {
    const std::lock_guard lock(places_->mutex);
    return places_->all;
}

}  // namespace boathouse::http
