// Prometheus' text format, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
//
// A builder for one scrape: metrics in the order in which they are added, HELP and TYPE before the first sample of
// each. A plain value, used by one thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace boathouse::http {

class Exposition {
  public:
    using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    // Samples of one metric must be added one after the other.
    void gauge(std::string_view name, std::string_view help, double value, Labels labels = {});
    void counter(std::string_view name, std::string_view help, double value, Labels labels = {});

    // Another exposition's metrics, which must not be in this one.
    void append(const Exposition& other) { text_ += other.text_; }

    const std::string& text() const { return text_; }

  private:
    void sample(std::string_view type, std::string_view name, std::string_view help, double value, Labels labels);

    std::string text_;
    std::string current_;  // the metric whose HELP and TYPE came last
};

}  // namespace boathouse::http
