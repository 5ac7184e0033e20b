import Testing

@testable import Luge

@Suite struct RedoPayloadTests {
  private struct Operation: Equatable {
    var tree: UInt64
    var key: [UInt8]
    var value: [UInt8]?
  }

  private func decode(_ payload: [UInt8]) throws -> [Operation] {
    var operations: [Operation] = []
    unsafe try payload.raw { buffer in
      unsafe try RedoPayload.decode(buffer, lsn: 0) { operation in
        unsafe operations.append(
          Operation(
            tree: operation.tree, key: unsafe Array(operation.key),
            value: unsafe operation.value.map(Array.init)))
      }
    }
    return operations
  }

  @Test func operationsComeBack() throws {
    var random = SplitMix(2)
    for _ in 0..<100 {
      var operations: [Operation] = []
      var writer = ByteWriter()
      var bytes = 0
      for _ in 0..<random.below(6) {
        let tree = random.next() >> UInt64(random.below(64))
        let key = random.bytes(random.below(200))
        let value = random.below(3) == 0 ? nil : random.bytes(random.below(300))
        operations.append(Operation(tree: tree, key: key, value: value))
        bytes += RedoPayload.operationBytes(tree: tree, key: key.count, value: value?.count)
        unsafe key.raw { key in
          if let value {
            unsafe value.raw {
              unsafe RedoPayload.appendPut(tree: tree, key: key, value: $0, to: &writer)
            }
          } else {
            unsafe RedoPayload.appendDelete(tree: tree, key: key, to: &writer)
          }
        }
      }
      #expect(writer.count == bytes)
      #expect(try decode(writer.bytes) == operations)
    }
  }

  @Test func damagedPayloadsAreReportedOrDecodedNeverTrapped() {
    var random = SplitMix(3)
    var refused = 0
    for _ in 0..<5000 {
      var bytes = random.bytes(random.below(60))
      if bytes.count > 1 { bytes[1] = UInt8(1 + random.below(2)) }
      do { _ = try decode(bytes) } catch {
        #expect((error as? LugeError)?.code == .corruption)
        refused += 1
      }
    }
    #expect(refused > 1000)
  }
}
