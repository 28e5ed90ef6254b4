import Columns

/// A thing that has features: a user, a merchant; identified by one or more key values.
package struct Entity: Hashable, Sendable, Annotated {
  package var name: String
  package var keys: [EntityKey]
  package var description: String?
  package var owner: String?
  package var tags: [String: String] = [:]

  package init(name: String, keys: [EntityKey], description: String? = nil) {
    self.name = name
    self.keys = keys
    self.description = description
  }
}

package struct EntityKey: Hashable, Sendable {
  package var name: String
  package var type: DataType

  package init(name: String, type: DataType) {
    self.name = name
    self.type = type
  }
}

/// The rows an aggregate sees at time t: those with event time in (t - width, t], or all up to t.
package enum Window: Hashable, Sendable {
  case all
  /// The width in microseconds, above 0.
  case micros(Int64)
  /// The same with t - width lowered to a multiple of `resolution` microseconds since the epoch; both above 0.
  case coarse(Int64, resolution: Int64)
}

package enum FeatureKind: Hashable, Sendable {
  /// The expression's value in the newest row.
  case expression(String)
  /// `of` nil only for `count`, which then counts rows; `filter` keeps the rows for which it is true.
  case aggregate(AggregateFunction, of: String?, window: Window, filter: String?)
}

package struct FeatureDefinition: Hashable, Sendable, Annotated {
  package var name: String
  package var kind: FeatureKind
  package var description: String?
  package var owner: String?
  package var tags: [String: String] = [:]

  package init(name: String, kind: FeatureKind, description: String? = nil) {
    self.name = name
    self.kind = kind
    self.description = description
  }
}

/// Which rows of its source a view knows of at time t, besides that their event time is up to t.
package enum Knowledge: String, Hashable, Sendable {
  /// All that the commit holds.
  case whole
  /// Those created up to t; rows without a created time are known from the start.
  case created
}

/// Features computed from one dataset for one entity.
package struct FeatureView: Hashable, Sendable, Annotated {
  package var name: String
  package var entity: String
  /// The dataset's name.
  package var source: String
  /// Entity key to source column, for the keys whose column has another name.
  package var keys: [String: String]
  /// How long a row's `expr` values hold, in microseconds; nil is for ever.
  package var ttlMicros: Int64?
  /// Only source rows for which this is true count.
  package var filter: String?
  package var knowledge: Knowledge
  package var features: [FeatureDefinition]
  package var description: String?
  package var owner: String?
  package var tags: [String: String]

  package init(
    name: String, entity: String, source: String, keys: [String: String] = [:], ttlMicros: Int64? = nil,
    filter: String? = nil, knowledge: Knowledge = .whole, features: [FeatureDefinition], description: String? = nil,
    owner: String? = nil, tags: [String: String] = [:]
  ) {
    self.name = name
    self.entity = entity
    self.source = source
    self.keys = keys
    self.ttlMicros = ttlMicros
    self.filter = filter
    self.knowledge = knowledge
    self.features = features
    self.description = description
    self.owner = owner
    self.tags = tags
  }
}

/// One feature of a service, or one input of an on-demand feature.
package struct FeatureReference: Hashable, Sendable {
  /// Empty for an on-demand feature, which belongs to no view.
  package var view: String
  package var feature: String
  /// The name this use of the view goes by (`as:`), which replaces the view's in full names.
  package var alias: String?
  /// Entity key to label column, for the keys whose label column has another name.
  package var joinKeys: [String: String]

  package init(view: String, feature: String, alias: String? = nil, joinKeys: [String: String] = [:]) {
    self.view = view
    self.feature = feature
    self.alias = alias
    self.joinKeys = joinKeys
  }

  package static func onDemand(_ name: String) -> FeatureReference { FeatureReference(view: "", feature: name) }

  package var isOnDemand: Bool { view.isEmpty }

  /// `view__feature`, `alias__feature`, or the name of an on-demand feature.
  package var fullName: String { isOnDemand ? feature : "\(alias ?? view)__\(feature)" }

  /// As a features file names it: `view:feature`, or the name of an on-demand feature.
  package var text: String { isOnDemand ? feature : "\(view):\(feature)" }
}

/// The features one model reads, in the order of its columns; wildcards are already expanded.
package struct FeatureService: Hashable, Sendable, Annotated {
  package var name: String
  package var features: [FeatureReference]
  package var description: String?
  package var owner: String?
  package var tags: [String: String] = [:]

  package init(name: String, features: [FeatureReference], description: String? = nil) {
    self.name = name
    self.features = features
    self.description = description
  }
}
