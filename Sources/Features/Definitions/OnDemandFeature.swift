import Columns

/// A value that comes with the question: a column of the labels, a member of `entities` online.
package struct RequestField: Hashable, Sendable {
  package var name: String
  package var type: DataType

  package init(name: String, type: DataType) {
    self.name = name
    self.type = type
  }
}

/// A feature computed when it is asked for, from request fields and other features.
package struct OnDemandFeature: Hashable, Sendable, Annotated {
  package var name: String
  package var request: [RequestField]
  /// Features of views and other on-demand features; wildcards are already expanded.
  package var inputs: [FeatureReference]
  /// Over `request.NAME`, and inputs by their names or, where two have one name, their full names.
  package var expression: String
  package var description: String?
  package var owner: String?
  package var tags: [String: String]

  package init(
    name: String, request: [RequestField] = [], inputs: [FeatureReference] = [], expression: String, description: String? = nil,
    owner: String? = nil, tags: [String: String] = [:]
  ) {
    self.name = name
    self.request = request
    self.inputs = inputs
    self.expression = expression
    self.description = description
    self.owner = owner
    self.tags = tags
  }
}

/// What every object of a features file can say of itself; it has no influence on values.
package protocol Annotated {
  var description: String? { get set }
  var owner: String? { get set }
  var tags: [String: String] { get set }
}

extension Annotated {
  /// Description, owner and tags behind two blanks and a number sign; nothing when there are none.
  package var notesText: String {
    let labels = tags.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
    let parts = [description, owner.map { "owner \($0)" }].compactMap { $0 } + labels
    return parts.isEmpty ? "" : "  # \(parts.joined(separator: "; "))"
  }

  /// The same without description, owner and tags.
  var bare: Self {
    var copy = self
    (copy.description, copy.owner, copy.tags) = (nil, nil, [:])
    return copy
  }
}

extension DefinitionMap {
  /// Reads `description`, `owner` and `tags`.
  mutating func annotate(_ object: inout some Annotated) throws(FeatureError) {
    object.description = try text("description")
    object.owner = try text("owner")
    object.tags = Dictionary(try texts("tags").map { ($0.key, $0.text) }, uniquingKeysWith: { first, _ in first })
  }
}
