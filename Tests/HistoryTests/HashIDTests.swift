import Testing

@testable import History

@Suite struct HashIDTests {
  @Test func hexRoundTrips() throws {
    let bytes = (0..<32).map { UInt8($0 * 8) }
    let id = LeafID(bytes: bytes)
    #expect(id.hex == "0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8")
    #expect(LeafID(hex: id.hex) == id)
    #expect(LeafID(hex: id.hex.uppercased()) == id)
    #expect(id.bytes == bytes)
  }

  @Test func hexOfAnotherLengthOrWithOtherCharactersIsNoID() {
    #expect(CommitID(hex: "") == nil)
    #expect(CommitID(hex: String(repeating: "a", count: 63)) == nil)
    #expect(CommitID(hex: String(repeating: "a", count: 66)) == nil)
    #expect(CommitID(hex: String(repeating: "a", count: 63) + "g") == nil)
  }

  @Test func orderIsThatOfBytes() {
    var low = [UInt8](repeating: 0, count: 32)
    var high = low
    low[31] = 255
    high[0] = 1
    #expect(NodeID(bytes: low) < NodeID(bytes: high))
    #expect(!(NodeID(bytes: high) < NodeID(bytes: low)))
  }
}
