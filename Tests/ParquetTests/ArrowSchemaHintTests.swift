import Columns
import Testing

@testable import Parquet

@Suite struct ArrowSchemaHintTests {
  /// By PyArrow 26, of timestamps in Europe/Prague and UTC, an int64, and durations in ms and ns.
  static let text =
    "/////1gBAAAQAAAAAAAKAAwABgAFAAgACgAAAAABBAAMAAAACAAIAAAABAAIAAAABAAAAAUAAADgAAAAmAAAAGwAAAA0AAAABAAAAET///8AAAESEAAAABgAAAAEAAAA"
    + "AAAAAAEAAABlAAYACAAGAAYAAAAAAAMAcP///wAAAQoQAAAAFAAAAAQAAAAAAAAAAQAAAGQAAABg////AAADAAQAAAADAAAAVVRDAKT///8AAAESEAAAABgAAAAE"
    + "AAAAAAAAAAEAAABjAAAABAAEAAQAAADM////AAABAhAAAAAcAAAABAAAAAAAAAABAAAAYgAAAAgADAAIAAcACAAAAAAAAAFAAAAAEAAUAAgABgAHAAwAAAAQABAA"
    + "AAAAAAEKEAAAABwAAAAEAAAAAAAAAAEAAABhAAAACAAMAAYACAAIAAAAAAACAAQAAAANAAAARXVyb3BlL1ByYWd1ZQAAAA=="

  @Test func zonesAndDurationsAreFound() {
    let found = ArrowSchemaHint.hints(base64: Self.text)
    #expect(found.map(\.name) == ["a", "b", "c", "d", "e"])
    #expect(found.map(\.hint) == [.zone("Europe/Prague"), nil, .duration(.millisecond), .zone("UTC"), .duration(.nanosecond)])
  }

  @Test func damageGivesFewerHintsAndNeverTraps() {
    #expect(ArrowSchemaHint.hints(base64: "").isEmpty)
    #expect(ArrowSchemaHint.hints(base64: "not base64!").isEmpty)
    print("seed 61")
    var generator = SeededGenerator(seed: 61)
    let letters = Array("ABCDwxyz0189+/".utf8)
    for _ in 0..<300 {
      var bytes = Array(Self.text.utf8)
      for _ in 0..<4 { bytes[Int.random(in: 0..<bytes.count, using: &generator)] = letters.randomElement(using: &generator)! }
      if generator.next() % 4 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
      #expect(ArrowSchemaHint.hints(base64: String(decoding: bytes, as: UTF8.self)).count <= bytes.count)
    }
  }
}
