import Objects
import Testing

@Suite struct StoreErrorTests {
  @Test func descriptionIsTheText() {
    #expect("\(StoreError(kind: .corrupt, text: "Cannot read a: b"))" == "Cannot read a: b")
  }
}
