#include "tests/bench/room.h"

#include "tests/bench/token.h"

namespace msab::bench {

double Room::CpuPerMessage(const std::function<void()>& send) {
  const double cpu = child().Cpu();
  const uint64_t events = crowd_->events();
  send();
  return (child().Cpu() - cpu) / static_cast<double>(crowd_->events() - events);
}

RelayRoom::RelayRoom(const Stage& stage, int shards, size_t sockets,
                     const std::map<std::string, std::string>& settings, Crowd::Speech speech)
    : relay_(stage, shards, settings), client_(relay_.grpc_port()) {
  crowd_ = std::make_unique<Crowd>(relay_.ws_port(), speech, "bench");
  crowd_->Open(
      sockets,
      [speech](size_t) {
        return speech == Crowd::Speech::kNative ? "/ws?rooms=bench"
                                                : "/socket.io/?EIO=4&transport=websocket";
      },
      [](size_t i) { return MintToken(static_cast<int64_t>(i) + 1); });
  // Everybody is told of everybody's coming.
  crowd_->Drain();
  crowd_->Expect(Crowd::Order::kContiguous);
  fan_out_ = std::make_unique<FanOut>(*crowd_, [this] { client_.Emit(request_); });

  v1::GiftReceived& gift = *request_.mutable_gift_received();
  gift.set_sender_id(1);
  gift.set_room_id("bench");
  gift.set_gift_id(7);
  gift.add_recipient_ids(2);
  gift.set_quantity(1);
  gift.set_transaction_id(std::string(64, 't'));
  fan_out_->OneAtATime(1);
  gift.set_transaction_id(std::string(64 + kFrameSize - crowd_->frame_size(), 't'));
  fan_out_->OneAtATime(20);
}

}  // namespace msab::bench
