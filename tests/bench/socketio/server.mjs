// The bench's peer: Socket.IO as most run it, on one core. Descriptor 3 is the bench's: the port goes
// there, and each 4-byte number that comes is broadcast to the room.
//   server.mjs <frame size>
import { createServer } from "node:http";
import { Socket } from "node:net";
import { Server } from "socket.io";

const frameSize = Number(process.argv[2]);
const http = createServer();
const io = new Server(http, { transports: ["websocket"], serveClient: false });
io.on("connection", (socket) => {
  socket.on("room:join", ({ roomId }, done) => {
    socket.join(roomId);
    done({ success: true });
  });
});

// 42["chat:message",{"content":"…"},"b-0000000001"] and a header of 4.
const empty = '42["chat:message",{"content":""},"b-0000000001"]'.length + 4;
const content = "x".repeat(Math.max(0, frameSize - empty));

const bench = new Socket({ fd: 3, readable: true, writable: true });
let rest = Buffer.alloc(0);
bench.on("data", (bytes) => {
  rest = Buffer.concat([rest, bytes]);
  for (; rest.length >= 4; rest = rest.subarray(4)) {
    const cursor = `b-${String(rest.readUInt32LE()).padStart(10, "0")}`;
    io.to("bench").emit("chat:message", { content }, cursor);
  }
});
bench.on("close", () => process.exit(0));
http.listen(0, "127.0.0.1", 20_000, () => {
  const port = Buffer.alloc(4);
  port.writeUInt32LE(http.address().port);
  bench.write(port);
});
