#include "tests/bench/baselines.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tests/bench/child.h"
#include "tests/bench/fail.h"

namespace msab::bench {

NumberedFrame::NumberedFrame(size_t frame_size) : header_(frame_size < 128 ? 2 : 4) {
  const std::string head = R"({"event":"chat:message","data":{"content":")";
  const std::string tail = R"("},"room":"bench","cursor":"b-0000000000"})";
  const size_t size = frame_size - header_;
  if (size < head.size() + tail.size()) Fail("the relay's frame is smaller than the baseline's");
  frame_.push_back(static_cast<char>(0x81));
  if (header_ == 2) {
    frame_.push_back(static_cast<char>(size));
  } else {
    frame_.push_back(126);
    frame_.push_back(static_cast<char>(size >> 8));
    frame_.push_back(static_cast<char>(size & 0xff));
  }
  absl::StrAppend(&frame_, head, std::string(size - head.size() - tail.size(), 'x'), tail);
}

void NumberedFrame::SetNumber(uint32_t number) {
  const std::string digits = absl::StrFormat("%010d", number);
  std::copy(digits.begin(), digits.end(), frame_.end() - 2 - 10);
}

void Announce(uint32_t port) {
  if (write(Child::kControlFd, &port, sizeof(port)) != sizeof(port)) std::_Exit(1);
}

uint32_t NextCommand() {
  uint32_t command = 0;
  if (read(Child::kControlFd, &command, sizeof(command)) != sizeof(command)) std::_Exit(0);
  return command;
}

void ServeWake() {
  const int there = eventfd(0, 0);
  const int back = eventfd(0, 0);
  std::thread([there, back] {
    for (uint64_t one = 0; read(there, &one, sizeof(one)) == sizeof(one);) {
      if (write(back, &one, sizeof(one)) != sizeof(one)) return;
    }
  }).detach();
  Announce(0);
  while (true) {
    const uint32_t trips = NextCommand();
    uint64_t one = 1;
    for (uint32_t i = 0; i < trips; ++i) {
      if (write(there, &one, sizeof(one)) != sizeof(one) ||
          read(back, &one, sizeof(one)) != sizeof(one)) {
        std::_Exit(1);
      }
    }
    Announce(trips);
  }
}

}  // namespace msab::bench
