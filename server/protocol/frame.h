#ifndef MSAB_PROTOCOL_FRAME_H_
#define MSAB_PROTOCOL_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "server/contract/entry.h"

namespace msab {

class FramePtr;

// Bytes for the socket, immutable and shared by every recipient: a whole WebSocket frame of a
// server (RFC 6455 §5.2: unmasked, FIN set, no extension), or raw bytes that Beast wrote itself.
//
// One allocation holds count, header and bytes. The count is not atomic: a frame never leaves the
// shard thread that made it.
class Frame {
 public:
  // What the outbox may do with a frame that waits.
  enum class Kind : uint8_t {
    kData,       // an event or a reply: kept, or the session closes
    kEphemeral,  // may be dropped
    kControl,    // handshake, ping, pong, close: kept
  };

  // A text frame whose payload is `parts`, one after another.
  static FramePtr Text(std::initializer_list<std::string_view> parts, Kind kind = Kind::kData);

  // A text frame of an entry's dialect text. A LATEST entry is remembered, so that an outbox can
  // tell what the frame replaces or is replaced by.
  static FramePtr Event(std::initializer_list<std::string_view> parts, const EntryPtr& entry);

  // `size` bytes that are already framed; the caller fills `data` before anybody else sees it.
  static FramePtr Raw(size_t size, uint8_t** data);

  // A protocol ping without payload (RFC 6455 §5.5.2).
  static FramePtr Ping();

  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  const uint8_t* data() const { return reinterpret_cast<const uint8_t*>(this + 1); }
  size_t size() const { return size_; }
  Kind kind() const { return kind_; }

  // The LATEST entry that this frame shows; null for all else.
  const Entry* latest() const { return latest_.get(); }

  // The text inside, without the frame's header. Not for the hot path.
  std::string_view text() const;

 private:
  friend class FramePtr;

  Frame(size_t size, Kind kind, EntryPtr latest)
      : size_(static_cast<uint32_t>(size)), kind_(kind), latest_(std::move(latest)) {}
  ~Frame() = default;

  static FramePtr Make(size_t size, Kind kind, EntryPtr latest, uint8_t** data);
  static FramePtr MakeText(std::initializer_list<std::string_view> parts, Kind kind,
                           EntryPtr latest);
  void Destroy();

  uint32_t references_ = 0;
  const uint32_t size_;
  const Kind kind_;
  const EntryPtr latest_;
};

// Shares a Frame.
class FramePtr {
 public:
  FramePtr() = default;
  explicit FramePtr(Frame* frame) : frame_(frame) {
    if (frame_ != nullptr) ++frame_->references_;
  }
  FramePtr(const FramePtr& other) : FramePtr(other.frame_) {}
  FramePtr(FramePtr&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  FramePtr& operator=(FramePtr other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~FramePtr() {
    if (frame_ != nullptr && --frame_->references_ == 0) frame_->Destroy();
  }

  const Frame* operator->() const { return frame_; }
  const Frame& operator*() const { return *frame_; }
  const Frame* get() const { return frame_; }
  explicit operator bool() const { return frame_ != nullptr; }

 private:
  Frame* frame_ = nullptr;
};

}  // namespace msab

#endif  // MSAB_PROTOCOL_FRAME_H_
