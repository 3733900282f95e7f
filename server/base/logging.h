#ifndef MSAB_BASE_LOGGING_H_
#define MSAB_BASE_LOGGING_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "spdlog/common.h"

namespace msab {

// The relay's log: one line of key=value pairs (logfmt) an occurrence, on stderr, written by a
// thread of its own, so that a slow reader of stderr never stops a shard.
//
//   LogLine(LogLevel::info, "connection closed").With("conn", id).With("code", 4000);
//   → ts=2026-01-01T00:00:00.000Z level=info msg="connection closed" conn=… code=4000
//
// Tokens, keys and payloads never go in. This is the one place that sees to it: a key that names
// one does not compile, a value that looks like a JWT is cut before it, and long values are cut.
using LogLevel = spdlog::level::level_enum;

// Starts the log. `level`: trace, debug, info, warn, error, off (what the configuration allows).
// Before it, and after StopLogging, lines of level warn and above go to stderr at once. Main
// thread, before others start.
void StartLogging(const std::string& level);

// Writes what is still queued. Main thread, after others ended.
void StopLogging();

// How many lines a full queue has cost. Any thread.
uint64_t DroppedLogLines();

// clang 14 keeps temporaries alive to the end of the scope when a consteval call is among them: the
// sanitizer builds would write their lines late. gcc, which builds what ships, does the checking.
#if defined(__clang__) && __clang_major__ < 15
#define MSAB_CONSTEVAL constexpr
#else
#define MSAB_CONSTEVAL consteval
#endif

// The name of a field. A compile-time constant; naming a secret is a compile error.
class LogKey {
 public:
  MSAB_CONSTEVAL LogKey(const char* name)  // NOLINT(google-explicit-constructor)
      : name_(name) {
    for (std::string_view secret : {"token", "payload", "data", "authorization", "secret", "key",
                                    "password", "jwt", "body"}) {
      if (name_ == secret) throw "a log line must not carry this";
    }
  }
  constexpr std::string_view name() const { return name_; }

 private:
  std::string_view name_;
};
#undef MSAB_CONSTEVAL

// One line, written when destroyed. Costs a comparison where its level is off. Any thread.
class LogLine {
 public:
  LogLine(LogLevel level, std::string_view message);
  ~LogLine();
  LogLine(const LogLine&) = delete;
  LogLine& operator=(const LogLine&) = delete;

  LogLine& With(LogKey key, std::string_view value);
  LogLine& With(LogKey key, const char* value) { return With(key, std::string_view(value)); }
  LogLine& With(LogKey key, bool value) { return With(key, value ? "true" : "false"); }
  template <typename Number>
  requires std::is_arithmetic_v<Number> LogLine& With(LogKey key, Number value) {
    if (on_) Append(key.name(), std::to_string(value));
    return *this;
  }

 private:
  void Append(std::string_view key, std::string_view raw);

  const LogLevel level_;
  const bool on_;
  std::string text_;
};

// `value` as logfmt wants it: bare, or quoted with escapes; JWTs masked; at most 256 bytes of it.
std::string LogValue(std::string_view value);

// Lets something be logged once per interval, however often it happens. Any thread.
class LogEvery {
 public:
  explicit LogEvery(int64_t interval_ms) : interval_ms_(interval_ms) {}

  // True if it is time; `suppressed` is then how often it was not since the last time.
  bool Due(int64_t steady_now, uint64_t& suppressed);

 private:
  const int64_t interval_ms_;
  std::atomic<int64_t> next_{INT64_MIN};
  std::atomic<uint64_t> suppressed_{0};
};

}  // namespace msab

#endif  // MSAB_BASE_LOGGING_H_
