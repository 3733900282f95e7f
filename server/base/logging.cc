#include "server/base/logging.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <memory>

#include "spdlog/async.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace msab {
namespace {

constexpr size_t kQueueLines = 8192;
constexpr size_t kLongestValue = 256;
// Every JWT begins so: the base64url of '{"'.
constexpr std::string_view kJwtStart = "eyJ";

// The log between StartLogging and StopLogging. Set and cleared on the main thread while there is
// no other.
struct Log {
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::logger> logger;
};
Log& TheLog() {
  static Log* const log = new Log;
  return *log;
}

// As the setting spells it; spdlog writes "warning", and reads only that.
std::string_view Name(LogLevel level) {
  const spdlog::string_view_t name = spdlog::level::to_string_view(level);
  return level == LogLevel::warn ? "warn" : std::string_view(name.data(), name.size());
}

bool IsBare(std::string_view value) {
  return !value.empty() && std::all_of(value.begin(), value.end(), [](unsigned char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
  });
}

bool IsTokenChar(unsigned char c) {
  return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
}

// `value` with whatever may be a token cut down to "eyJ…".
std::string WithoutTokens(std::string_view value) {
  std::string out;
  while (true) {
    const size_t at = value.find(kJwtStart);
    out += value.substr(0, at);
    if (at == value.npos) return out;
    out += kJwtStart;
    out += "…";
    value.remove_prefix(at);
    const auto end = std::find_if_not(value.begin(), value.end(), IsTokenChar);
    value.remove_prefix(static_cast<size_t>(end - value.begin()));
  }
}

}  // namespace

void StartLogging(const std::string& level) {
  Log& log = TheLog();
  log.pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
  // When stderr's reader is too slow for us, old lines go rather than the relay waits.
  log.logger = std::make_shared<spdlog::async_logger>(
      "relay", std::make_shared<spdlog::sinks::stderr_sink_st>(), log.pool,
      spdlog::async_overflow_policy::overrun_oldest);
  log.logger->set_pattern("ts=%Y-%m-%dT%H:%M:%S.%eZ %v", spdlog::pattern_time_type::utc);
  log.logger->set_level(level == "warn" ? LogLevel::warn : spdlog::level::from_str(level));
  log.logger->flush_on(LogLevel::trace);
}

void StopLogging() {
  Log& log = TheLog();
  log.logger.reset();
  log.pool.reset();
}

uint64_t DroppedLogLines() {
  const Log& log = TheLog();
  return log.pool ? log.pool->overrun_counter() : 0;
}

std::string LogValue(std::string_view value) {
  std::string text = WithoutTokens(value.substr(0, kLongestValue));
  if (value.size() > kLongestValue) text += "…";
  if (IsBare(text)) return text;
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < ' ' || byte == 0x7f) {
      char escaped[8];
      std::snprintf(escaped, sizeof(escaped), "\\x%02x", byte);
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

LogLine::LogLine(LogLevel level, std::string_view message)
    : level_(level),
      on_(TheLog().logger ? TheLog().logger->should_log(level) : level >= LogLevel::warn) {
  if (on_) text_ = "level=" + std::string(Name(level)) + " msg=" + LogValue(message);
}

LogLine::~LogLine() {
  if (!on_) return;
  if (const auto& logger = TheLog().logger) {
    logger->log(level_, spdlog::string_view_t(text_));
  } else {
    std::fprintf(stderr, "%s\n", text_.c_str());
  }
}

LogLine& LogLine::With(LogKey key, std::string_view value) {
  if (on_) Append(key.name(), LogValue(value));
  return *this;
}

void LogLine::Append(std::string_view key, std::string_view raw) {
  text_ += ' ';
  text_ += key;
  text_ += '=';
  text_ += raw;
}

bool LogEvery::Due(int64_t steady_now, uint64_t& suppressed) {
  int64_t next = next_.load(std::memory_order_relaxed);
  if (steady_now < next || !next_.compare_exchange_strong(next, steady_now + interval_ms_)) {
    suppressed_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  suppressed = suppressed_.exchange(0, std::memory_order_relaxed);
  return true;
}

}  // namespace msab
